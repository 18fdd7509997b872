// Sizes, times and numbers of things as people read them.
#ifndef PAROQUANT_BASE_QUANTITY_TEXT_H_
#define PAROQUANT_BASE_QUANTITY_TEXT_H_

#include <cstdint>
#include <string>

namespace paroquant {

// Three digits in powers of 1000: "999 bytes", "4.92 MB", "310 MB", "1.20 GB". `bytes` >= 0.
std::string ByteCount(int64_t bytes);

// About two digits: "0.04 s", "9.3 s", "42 s", "3m05s", "2h10m". `seconds` >= 0.
std::string Duration(double seconds);

// "1 window", "2 windows"; of nouns whose plural has an s.
std::string Counted(int64_t count, const std::string& noun);

}  // namespace paroquant

#endif  // PAROQUANT_BASE_QUANTITY_TEXT_H_
