// Numbers as readers want them.
#ifndef PAROQUANT_REPORT_NUMBER_TEXT_H_
#define PAROQUANT_REPORT_NUMBER_TEXT_H_

#include <cstdint>
#include <string>

namespace paroquant::report {

// Shown in the place of a number that there is not.
inline constexpr char kNoNumber[] = "\u2013";

// To so many significant digits: "0.0123", "1234", "1.2e-6"; kNoNumber unless `value` is finite.
std::string Significant(double value, int digits = 3);
// A share of 1 as "1.23 %", without a break between the two.
std::string Percent(double share);
// "1.23 GB", in powers of 1000.
std::string ByteSize(int64_t bytes);
// "12.3 s", "4 min 10 s", "3 h 05 min".
std::string Duration(double seconds);
// What stands at a tick of an axis: "0.05", "20", "10k", "5M", "1e-5".
std::string TickLabel(double value);

}  // namespace paroquant::report

#endif  // PAROQUANT_REPORT_NUMBER_TEXT_H_
