#include "chat/strings.h"

#include <utf8proc.h>

#include <algorithm>
#include <utility>

#include "chat/fault.h"
#include "paroquant/base/utf8.h"

namespace paroquant::chat {
namespace {

bool IsSpaceAt(std::string_view text, size_t position) {
  return IsSpace(text::NextCharacter(text, position));
}

bool Contains(std::string_view characters, char32_t character) {
  for (size_t position = 0; position < characters.size();) {
    if (text::NextCharacter(characters, position) == character) return true;
  }
  return false;
}

// Words between runs of white space; what is left when `limit` cuts are made is the last.
std::vector<std::string_view> SplitWords(std::string_view text, int64_t limit) {
  std::vector<std::string_view> words;
  text = Strip(text, Side::kLeft);
  while (!text.empty()) {
    if (limit >= 0 && std::ssize(words) == limit) {
      words.push_back(text);  // with the white space at its end, as Python has it
      break;
    }
    size_t end = 0;
    while (end < text.size() && !IsSpaceAt(text, end)) end += text::Utf8Length(text[end]);
    words.push_back(text.substr(0, end));
    text = Strip(text.substr(end), Side::kLeft);
  }
  return words;
}

std::vector<std::string_view> SplitFromRight(std::string_view text, std::string_view separator,
                                             int64_t limit) {
  std::vector<std::string_view> parts;
  while (limit < 0 || std::ssize(parts) < limit) {
    const size_t found = text.rfind(separator);
    if (found == std::string_view::npos) break;
    parts.push_back(text.substr(found + separator.size()));
    text = text.substr(0, found);
  }
  parts.push_back(text);
  std::ranges::reverse(parts);
  return parts;
}

bool IsUpperCase(char32_t c) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(c)) == UTF8PROC_CATEGORY_LU;
}
bool IsTitleCase(char32_t c) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(c)) == UTF8PROC_CATEGORY_LT;
}
bool IsLowerCase(char32_t c) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(c)) == UTF8PROC_CATEGORY_LL;
}

// Are there letters of the wanted case, and of no other?
bool HasOneCase(std::string_view text, bool (*wanted)(char32_t), bool (*other)(char32_t)) {
  bool found = false;
  for (size_t position = 0; position < text.size();) {
    const char32_t c = text::NextCharacter(text, position);
    if (other(c) || IsTitleCase(c)) return false;
    found = found || wanted(c);
  }
  return found;
}

[[noreturn]] void FailCase() {
  throw Fault("the case of a character that has no other one", Fault::Kind::kUnsupported);
}

// Unicode's SpecialCasing.txt: Eszett, ligatures, Greek with an iota subscript, ...
bool HasLongUpperCase(char32_t c) {
  static constexpr std::u32string_view kSome = U"\u00DF\u0149\u01F0\u0390\u03B0\u0587";
  return kSome.find(c) != kSome.npos || (c >= 0x1E96 && c <= 0x1E9A) ||
         (c >= 0x1F50 && c <= 0x1F56) || (c >= 0x1F80 && c <= 0x1FFC) ||
         (c >= 0xFB00 && c <= 0xFB17);
}

char32_t ToUpper(char32_t c) {
  if (HasLongUpperCase(c)) FailCase();
  return static_cast<char32_t>(utf8proc_toupper(static_cast<utf8proc_int32_t>(c)));
}

char32_t ToLower(char32_t c) {
  constexpr char32_t kDottedI = 0x130;
  constexpr char32_t kSigma = 0x3A3;  // another one at the end of a word
  if (c == kDottedI || c == kSigma) FailCase();
  return static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c)));
}

template <typename Map>
std::string MapCharacters(std::string_view text, Map map) {
  std::string mapped;
  for (size_t position = 0; position < text.size();) {
    text::AppendUtf8(map(text::NextCharacter(text, position)), mapped);
  }
  return mapped;
}

// Where upper, lower and title case differ, the first of a word is in title case.
char32_t ToFirst(char32_t c) {
  const auto code = static_cast<utf8proc_int32_t>(c);
  if (c >= 0x80 && utf8proc_totitle(code) != utf8proc_toupper(code)) FailCase();
  return ToUpper(c);
}

}  // namespace

int64_t CountCharacters(std::string_view text) {
  return std::ranges::count_if(text, [](char c) { return !IsUtf8Continuation(c); });
}

std::vector<size_t> CharacterStarts(std::string_view text) {
  std::vector<size_t> starts;
  for (size_t i = 0; i < text.size(); ++i) {
    if (!IsUtf8Continuation(text[i])) starts.push_back(i);
  }
  starts.push_back(text.size());
  return starts;
}

bool IsSpace(char32_t character) {
  return text::IsWhitespace(character) || (character >= 0x1C && character <= 0x1F);
}

bool IsPrintable(char32_t character) {
  if (character < 0x7F) return character >= ' ';
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(character))) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_ZS:
      return false;
    default:
      return true;
  }
}

std::string_view Strip(std::string_view text, Side side,
                       std::optional<std::string_view> characters) {
  const auto goes = [&](char32_t c) { return characters ? Contains(*characters, c) : IsSpace(c); };
  while (side != Side::kRight && !text.empty()) {
    size_t next = 0;
    if (!goes(text::NextCharacter(text, next))) break;
    text.remove_prefix(next);
  }
  while (side != Side::kLeft && !text.empty()) {
    size_t last = text.size() - 1;
    while (IsUtf8Continuation(text[last])) --last;
    if (!goes(text::LastCharacter(text))) break;
    text = text.substr(0, last);
  }
  return text;
}

std::vector<std::string_view> Split(std::string_view text,
                                    std::optional<std::string_view> separator, int64_t limit,
                                    Side from) {
  if (!separator) {
    if (from == Side::kRight && limit >= 0) {
      throw Fault("rsplit at white space with a limit", Fault::Kind::kUnsupported);
    }
    return SplitWords(text, limit);
  }
  if (separator->empty()) throw Fault("empty separator");
  if (from == Side::kRight) return SplitFromRight(text, *separator, limit);
  std::vector<std::string_view> parts;
  while (limit < 0 || std::ssize(parts) < limit) {
    const size_t found = text.find(*separator);
    if (found == std::string_view::npos) break;
    parts.push_back(text.substr(0, found));
    text = text.substr(found + separator->size());
  }
  parts.push_back(text);
  return parts;
}

std::vector<std::string_view> SplitLines(std::string_view text, bool keep_ends) {
  static constexpr std::u32string_view kEnds = U"\n\r\v\f\x1C\x1D\x1E\u0085\u2028\u2029";
  std::vector<std::string_view> lines;
  size_t start = 0;
  for (size_t position = 0; position < text.size();) {
    const size_t end = position;
    if (kEnds.find(text::NextCharacter(text, position)) == kEnds.npos) continue;
    if (text.substr(end).starts_with("\r\n")) ++position;
    lines.push_back(text.substr(start, (keep_ends ? position : end) - start));
    start = position;
  }
  if (start < text.size()) lines.push_back(text.substr(start));
  return lines;
}

std::string Replace(std::string_view text, std::string_view old, std::string_view with,
                    int64_t limit) {
  if (old.empty()) throw Fault("replacement of an empty string", Fault::Kind::kUnsupported);
  std::string replaced;
  while (limit != 0) {
    const size_t found = text.find(old);
    if (found == std::string_view::npos) break;
    replaced.append(text.substr(0, found)).append(with);
    text = text.substr(found + old.size());
    if (limit > 0) --limit;
  }
  return replaced.append(text);
}

std::string Upper(std::string_view text) { return MapCharacters(text, ToUpper); }
std::string Lower(std::string_view text) { return MapCharacters(text, ToLower); }

std::string Capitalize(std::string_view text) {
  return MapCharacters(text, [first = true](char32_t c) mutable {
    return std::exchange(first, false) ? ToFirst(c) : ToLower(c);
  });
}

std::string Title(std::string_view text) {
  return MapCharacters(text, [inside = false](char32_t c) mutable {
    const bool cased = IsUpperCase(c) || IsLowerCase(c) || IsTitleCase(c);
    return std::exchange(inside, cased) ? ToLower(c) : ToFirst(c);
  });
}

bool IsUpper(std::string_view text) { return HasOneCase(text, IsUpperCase, IsLowerCase); }
bool IsLower(std::string_view text) { return HasOneCase(text, IsLowerCase, IsUpperCase); }

std::string EscapeHtml(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&#34;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

}  // namespace paroquant::chat
