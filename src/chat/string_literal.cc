#include "chat/string_literal.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>

#include "chat/fault.h"
#include "text/unicode.h"

namespace paroquant::chat {
namespace {

// The character that an escape of one letter stands for; 0 if it is none.
char SimpleEscape(char letter) {
  static constexpr std::string_view kLetters = "\\'\"abfnrtv";
  static constexpr std::string_view kCharacters = "\\'\"\a\b\f\n\r\t\v";
  const size_t place = kLetters.find(letter);
  return place == kLetters.npos ? '\0' : kCharacters[place];
}

size_t HexDigits(char letter) {
  return letter == 'x' ? 2 : letter == 'u' ? 4 : letter == 'U' ? 8 : 0;
}

[[noreturn]] void Fail(std::string_view escape, int line) {
  throw Fault(fmt::format("the escape \"\\{}\" in a string", escape), Fault::Kind::kUnsupported,
              line);
}

// Appends the character whose number these digits are.
void AppendNumbered(std::string_view escape, std::string_view digits, int base, int line,
                    std::string& text) {
  uint32_t code = 0;
  const char* end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, code, base);
  const bool is_surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (read.ptr != end || digits.empty() || is_surrogate || code > 0x10FFFF) Fail(escape, line);
  text::AppendUtf8(static_cast<char32_t>(code), text);
}

size_t OctalDigits(std::string_view text) {
  size_t count = 0;
  while (count < 3 && count < text.size() && text[count] >= '0' && text[count] <= '7') ++count;
  return count;
}

// Appends what stands at the start of `rest`, behind a backslash, and returns its length.
size_t AppendEscape(std::string_view rest, int line, std::string& text) {
  const char letter = rest.front();
  if (letter == '\n') return 1;  // a line that goes on
  if (const char simple = SimpleEscape(letter)) {
    text += simple;
    return 1;
  }
  if (letter == 'N') Fail("N", line);
  if (const size_t digits = HexDigits(letter)) {
    const std::string_view escape = rest.substr(0, 1 + digits);
    if (escape.size() <= digits) Fail(escape, line);
    AppendNumbered(escape, escape.substr(1), 16, line, text);
    return escape.size();
  }
  if (const size_t digits = OctalDigits(rest)) {
    AppendNumbered(rest.substr(0, digits), rest.substr(0, digits), 8, line, text);
    return digits;
  }
  text += '\\';  // none: both characters stand for themselves
  return 0;
}

}  // namespace

std::string ResolveEscapes(std::string_view literal, int line) {
  std::string text;
  while (!literal.empty()) {
    const size_t plain = std::min(literal.find('\\'), literal.size());
    text += literal.substr(0, plain);
    literal.remove_prefix(plain);
    if (literal.size() < 2) break;
    literal.remove_prefix(1);
    literal.remove_prefix(AppendEscape(literal, line, text));
  }
  return text;
}

}  // namespace paroquant::chat
