#include "text/unicode.h"

#include <utf8proc.h>

#include <cassert>
#include <cstdint>
#include <cstring>

#include "paroquant/base/utf8.h"

namespace paroquant::text {
namespace {

unsigned char Byte(std::string_view text, size_t position) {
  return static_cast<unsigned char>(text[position]);
}

bool EightAsciiAt(std::string_view text, size_t position) {
  uint64_t bytes = 0;
  std::memcpy(&bytes, text.data() + position, sizeof(bytes));
  return (bytes & 0x8080808080808080U) == 0;
}

size_t StartOfLastCharacter(std::string_view text) {
  size_t position = text.size() - 1;
  while (IsUtf8Continuation(text[position])) --position;
  return position;
}

utf8proc_category_t Category(char32_t character) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(character));
}

// utf8proc numbers the categories in the standard's order: letters, marks, numbers (decimal digits
// and letters first), punctuation (connectors first), symbols, separators.
bool IsBetween(utf8proc_category_t first, utf8proc_category_t category, utf8proc_category_t last) {
  return first <= category && category <= last;
}

// The enclosed letters: symbols by category, yet alphabetic (PropList.txt, Other_Alphabetic).
bool IsEnclosedLetter(char32_t c) {
  return (c >= 0x24B6 && c <= 0x24E9) || (c >= 0x1F130 && c <= 0x1F149) ||
         (c >= 0x1F150 && c <= 0x1F169) || (c >= 0x1F170 && c <= 0x1F189);
}

}  // namespace

size_t ValidUtf8Prefix(std::string_view text) {
  size_t position = 0;
  while (position < text.size()) {
    if (position + 8 <= text.size() && EightAsciiAt(text, position)) {
      position += 8;
      continue;
    }
    const Utf8Sequence sequence = Utf8SequenceAt(text, position);
    if (!sequence.valid) return position;
    position += sequence.length;
  }
  return position;
}

std::string ReplaceInvalidUtf8(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  while (true) {
    const size_t prefix = ValidUtf8Prefix(text);
    valid.append(text.substr(0, prefix));
    if (prefix == text.size()) return valid;
    valid.append(kReplacementCharacter);
    text.remove_prefix(prefix + Utf8SequenceAt(text, prefix).length);
  }
}

char32_t NextCharacter(std::string_view text, size_t& position) {
  assert(position < text.size());
  const size_t length = Utf8Length(text[position]);
  constexpr unsigned char kLeadBits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
  char32_t character = Byte(text, position) & kLeadBits[length];
  for (size_t i = 1; i < length; ++i) {
    character = (character << 6) | (Byte(text, position + i) & 0x3FU);
  }
  position += length;
  return character;
}

char32_t LastCharacter(std::string_view text) {
  size_t position = StartOfLastCharacter(text);
  return NextCharacter(text, position);
}

void AppendUtf8(char32_t character, std::string& text) {
  utf8proc_uint8_t bytes[4];
  const auto length = utf8proc_encode_char(static_cast<utf8proc_int32_t>(character), bytes);
  text.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(length));
}

bool IsWhitespace(char32_t character) {
  if (character < 0x80) return character == ' ' || (character >= '\t' && character <= '\r');
  return character == 0x85 ||
         IsBetween(UTF8PROC_CATEGORY_ZS, Category(character), UTF8PROC_CATEGORY_ZP);
}

size_t LeadingWhitespace(std::string_view text) {
  size_t length = 0;
  for (size_t next = 0; next < text.size(); length = next) {
    if (!IsWhitespace(NextCharacter(text, next))) break;
  }
  return length;
}

size_t TrailingWhitespace(std::string_view text) {
  std::string_view rest = text;
  while (!rest.empty() && IsWhitespace(LastCharacter(rest)))
    rest = rest.substr(0, StartOfLastCharacter(rest));
  return text.size() - rest.size();
}

bool IsWordCharacter(char32_t character) {
  const utf8proc_category_t category = Category(character);
  return IsBetween(UTF8PROC_CATEGORY_LU, category, UTF8PROC_CATEGORY_NL) ||
         category == UTF8PROC_CATEGORY_PC || character == 0x200C || character == 0x200D ||
         IsEnclosedLetter(character);
}

bool IsNumber(char32_t character) {
  return IsBetween(UTF8PROC_CATEGORY_ND, Category(character), UTF8PROC_CATEGORY_NO);
}

bool IsPunctuation(char32_t character) {
  const utf8proc_category_t category = Category(character);
  return IsBetween(UTF8PROC_CATEGORY_PC, category, UTF8PROC_CATEGORY_PO) ||
         (character < 0x80 && IsBetween(UTF8PROC_CATEGORY_SM, category, UTF8PROC_CATEGORY_SO));
}

}  // namespace paroquant::text
