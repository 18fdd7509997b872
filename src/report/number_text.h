// Numbers as readers want them.
#ifndef PAROQUANT_REPORT_NUMBER_TEXT_H_
#define PAROQUANT_REPORT_NUMBER_TEXT_H_

#include <string>

namespace paroquant::report {

// Shown in the place of a number that there is not.
inline constexpr char kNoNumber[] = "\u2013";

// To so many significant digits: "0.0123", "1234", "1.2e-6"; kNoNumber unless `value` is finite.
std::string Significant(double value, int digits = 3);
// A share of 1 as "1.23 %", without a break between the two.
std::string Percent(double share);
// What stands at a tick of an axis: "0.05", "20", "10k", "5M", "1e-5".
std::string TickLabel(double value);

}  // namespace paroquant::report

#endif  // PAROQUANT_REPORT_NUMBER_TEXT_H_
