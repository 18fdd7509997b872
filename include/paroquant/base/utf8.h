// Where the characters of UTF-8 begin and end, in text that need not be valid.
#ifndef PAROQUANT_BASE_UTF8_H_
#define PAROQUANT_BASE_UTF8_H_

#include <cstddef>
#include <string_view>

namespace paroquant {

// Whether the byte has the form 10xxxxxx, that of all bytes of a character but its first.
inline bool IsUtf8Continuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

// A whole character, or if it is not valid the longest start of one, at least a byte.
struct Utf8Sequence {
  size_t length;
  bool valid;
};

// What stands at `position` < text.size().
Utf8Sequence Utf8SequenceAt(std::string_view text, size_t position);

}  // namespace paroquant

#endif  // PAROQUANT_BASE_UTF8_H_
