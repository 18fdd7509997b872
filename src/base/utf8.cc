#include "paroquant/base/utf8.h"

namespace paroquant {
namespace {

unsigned char Byte(std::string_view text, size_t position) {
  return static_cast<unsigned char>(text[position]);
}

// The bytes a lead byte calls for and the range of its first continuation byte, which is what
// rules out overlong forms, surrogates and values above U+10FFFF (Unicode standard, table 3-7).
struct Form {
  size_t length;  // 0: no lead byte
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
};

Form FormOf(unsigned char lead) {
  if (lead < 0x80) return {.length = 1};
  if (lead < 0xC2) return {.length = 0};
  if (lead < 0xE0) return {.length = 2};
  if (lead == 0xE0) return {.length = 3, .low = 0xA0};
  if (lead == 0xED) return {.length = 3, .high = 0x9F};
  if (lead < 0xF0) return {.length = 3};
  if (lead == 0xF0) return {.length = 4, .low = 0x90};
  if (lead < 0xF4) return {.length = 4};
  if (lead == 0xF4) return {.length = 4, .high = 0x8F};
  return {.length = 0};
}

}  // namespace

Utf8Sequence Utf8SequenceAt(std::string_view text, size_t position) {
  const Form form = FormOf(Byte(text, position));
  if (form.length == 0) return {.length = 1, .valid = false};
  for (size_t i = 1; i < form.length; ++i) {
    const unsigned char low = i == 1 ? form.low : 0x80;
    const unsigned char high = i == 1 ? form.high : 0xBF;
    if (position + i == text.size() || Byte(text, position + i) < low ||
        Byte(text, position + i) > high) {
      return {.length = i, .valid = false};
    }
  }
  return {.length = form.length, .valid = true};
}

}  // namespace paroquant
