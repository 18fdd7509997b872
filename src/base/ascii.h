// Letters as they are in every locale.
#ifndef PAROQUANT_BASE_ASCII_H_
#define PAROQUANT_BASE_ASCII_H_

#include <string>

namespace paroquant {

// A to Z as a to z; all other bytes stay.
inline std::string AsciiLower(std::string text) {
  for (char& c : text) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return text;
}

}  // namespace paroquant

#endif  // PAROQUANT_BASE_ASCII_H_
