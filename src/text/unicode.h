// UTF-8 and the classes of characters that tokenizers distinguish.
#ifndef PAROQUANT_TEXT_UNICODE_H_
#define PAROQUANT_TEXT_UNICODE_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace paroquant::text {

inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";  // U+FFFD

// How many bytes of `text`, from its start, are valid UTF-8.
size_t ValidUtf8Prefix(std::string_view text);

// `text` with every maximal ill-formed subsequence replaced by U+FFFD, as the Unicode standard
// recommends and as Python's errors="replace" does.
std::string ReplaceInvalidUtf8(std::string_view text);

// The number of bytes of the character that `lead` begins. `lead` must begin a valid one.
inline size_t Utf8Length(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

// The character at `position`, which is moved behind it. `text` must be valid UTF-8.
char32_t NextCharacter(std::string_view text, size_t& position);

// The last character of `text`, valid UTF-8 and not empty.
char32_t LastCharacter(std::string_view text);

void AppendUtf8(char32_t character, std::string& text);

// The property White_Space.
bool IsWhitespace(char32_t character);
// How many bytes of whitespace `text` (valid UTF-8) begins or ends with.
size_t LeadingWhitespace(std::string_view text);
size_t TrailingWhitespace(std::string_view text);

// What \w matches (Unicode Technical Standard 18, annex C): alphabetic characters, marks, decimal
// digits, connectors and joiners.
bool IsWordCharacter(char32_t character);
// The categories Nd, Nl and No.
bool IsNumber(char32_t character);
// The categories P*, and all of ASCII's punctuation and symbols.
bool IsPunctuation(char32_t character);

}  // namespace paroquant::text

#endif  // PAROQUANT_TEXT_UNICODE_H_
