// Python's operations on strings, which count characters, not bytes. All strings are valid UTF-8.
#ifndef PAROQUANT_CHAT_STRINGS_H_
#define PAROQUANT_CHAT_STRINGS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/unicode.h"

namespace paroquant::chat {

int64_t CountCharacters(std::string_view text);
// The bytes at which characters begin, and the end.
std::vector<size_t> CharacterStarts(std::string_view text);

// What str.isspace() says of a character.
bool IsSpace(char32_t character);
// What str.isprintable() says of a character.
bool IsPrintable(char32_t character);

enum class Side { kLeft, kRight, kBoth };
// Without `characters`, white space is taken off.
std::string_view Strip(std::string_view text, Side side,
                       std::optional<std::string_view> characters = std::nullopt);

// At most `limit` cuts, from the left or the right; a negative one is none. Without a separator at
// runs of white space. Throws Fault for an empty separator.
std::vector<std::string_view> Split(std::string_view text,
                                    std::optional<std::string_view> separator, int64_t limit,
                                    Side from = Side::kLeft);
std::vector<std::string_view> SplitLines(std::string_view text, bool keep_ends);

// At most `limit` replacements, a negative one is none.
std::string Replace(std::string_view text, std::string_view old, std::string_view with,
                    int64_t limit);

// Throw Fault for the few characters whose other case is not a single character.
std::string Upper(std::string_view text);
std::string Lower(std::string_view text);
// The first character in upper, the others in lower case.
std::string Capitalize(std::string_view text);
// As Capitalize, from each character on that follows one without a case.
std::string Title(std::string_view text);

// Whether the cased characters, at least one, are all of that case.
bool IsUpper(std::string_view text);
bool IsLower(std::string_view text);

// With &, <, >, " and ' as HTML's entities.
std::string EscapeHtml(std::string_view text);

}  // namespace paroquant::chat

#endif  // PAROQUANT_CHAT_STRINGS_H_
