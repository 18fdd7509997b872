#include "text/regex_syntax.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "paroquant/base/error.h"
#include "text/regex.h"

namespace paroquant::text {
namespace {

// The insides of sets: White_Space, its complement, and the word characters.
constexpr std::string_view kSpace =
    R"(\t-\r\x20\x85\xA0\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000})";
constexpr std::string_view kNoSpace =
    R"(\x00-\x08\x0E-\x1F\x21-\x84\x86-\x9F\xA1-\x{167F}\x{1681}-\x{1FFF}\x{200B}-\x{2027})"
    R"(\x{202A}-\x{202E}\x{2030}-\x{205E}\x{2060}-\x{2FFF}\x{3001}-\x{D7FF}\x{E000}-\x{10FFFF})";
constexpr std::string_view kWord = R"(\p{Alphabetic}\p{M}\p{Nd}\p{Pc})";
constexpr std::string_view kHexadecimal = "0-9A-Fa-f";

// What `\letter` becomes outside a set; empty: it stays.
std::string EscapeOutsideSet(char letter) {
  switch (letter) {
    case 's':
      return fmt::format("[{}]", kSpace);
    case 'S':
      return fmt::format("[^{}]", kSpace);
    case 'w':
      return fmt::format("[{}]", kWord);
    case 'W':
      return fmt::format("[^{}]", kWord);
    case 'h':
      return fmt::format("[{}]", kHexadecimal);
    case 'H':
      return fmt::format("[^{}]", kHexadecimal);
    case 'b':
      return fmt::format("(?:(?<=[{0}])(?![{0}])|(?<![{0}])(?=[{0}]))", kWord);
    case 'B':
      return fmt::format("(?:(?<=[{0}])(?=[{0}])|(?<![{0}])(?![{0}]))", kWord);
    default:
      return "";
  }
}

// The same inside a set.
std::string_view EscapeInsideSet(char letter) {
  switch (letter) {
    case 's':
      return kSpace;
    case 'S':
      return kNoSpace;
    case 'w':
      return kWord;
    case 'h':
      return kHexadecimal;
    default:
      return "";
  }
}

// Category names are one or two letters long; PCRE2 tells scripts from other long names.
bool IsScript(std::string_view property) {
  return property.size() > 2 && Regex::IsValid(fmt::format(R"(\p{{sc:{}}})", property));
}

class Translator {
 public:
  Translator(std::string_view pattern, const std::string& where)
      : rest_(pattern), pattern_(pattern), where_(where) {}

  std::string Translate() {
    while (!rest_.empty()) {
      if (rest_.front() == '\\') {
        TakeEscape();
      } else if (set_depth_ > 0) {
        TakeInsideSet();
      } else {
        TakeOutsideSet();
      }
    }
    return std::move(translated_);
  }

 private:
  void TakeOutsideSet() {
    if (rest_.front() == '[') {
      OpenSet();
    } else if (rest_.starts_with("(?")) {
      TakeGroupStart();
    } else if (const size_t length = IntervalLength(); length > 0) {
      TakeInterval(length);
    } else {
      Copy(1);
    }
  }

  void TakeInsideSet() {
    if (rest_.starts_with("[:")) {
      Copy(std::min(rest_.find(":]"), rest_.size() - 2) + 2);
    } else if (rest_.starts_with("[^") || rest_.starts_with("&&")) {
      Refuse(rest_.substr(0, 2));
    } else if (rest_.front() == '[') {
      Drop(1);
      ++set_depth_;
    } else if (rest_.front() == ']' && --set_depth_ > 0) {
      Drop(1);
    } else {
      Copy(1);
    }
  }

  void OpenSet() {
    Copy(rest_.starts_with("[^") ? 2 : 1);
    if (rest_.starts_with("]")) Copy(1);  // the first one is a literal
    set_depth_ = 1;
  }

  void TakeEscape() {
    if (rest_.size() < 2) return Copy(rest_.size());
    const char letter = rest_[1];
    if (letter == 'p' || letter == 'P') return TakeProperty();
    if (letter == 'u') return TakeCodePoint();
    const std::string rewritten =
        set_depth_ > 0 ? std::string(EscapeInsideSet(letter)) : EscapeOutsideSet(letter);
    if (!rewritten.empty()) {
      translated_ += rewritten;
      return Drop(2);
    }
    if (letter == 'W' || letter == 'H') Refuse(fmt::format("\\{} inside a set", letter));
    Copy(2);
  }

  void TakeProperty() {
    const size_t end = rest_.find('}');
    if (rest_.size() < 4 || rest_[2] != '{' || end == std::string_view::npos) return Copy(2);
    const std::string_view name = rest_.substr(3, end - 3);
    if (!IsScript(name)) return Copy(end + 1);
    translated_ += fmt::format("\\{}{{sc:{}}}", rest_[1], name);
    Drop(end + 1);
  }

  void TakeCodePoint() {
    constexpr size_t kDigits = 4;
    if (rest_.size() < 2 + kDigits) Refuse(rest_);
    translated_ += fmt::format("\\x{{{}}}", rest_.substr(2, kDigits));
    Drop(2 + kDigits);
  }

  void TakeGroupStart() {
    Copy(2);
    const size_t flags = std::min(rest_.find_first_not_of("imx-"), rest_.size());
    std::string names(rest_.substr(0, flags));
    std::replace(names.begin(), names.end(), 'm', 's');
    translated_ += names;
    Drop(flags);
  }

  // The length of {n}, {n,}, {,m} or {n,m} at the front, 0 if there is none.
  size_t IntervalLength() const {
    if (rest_.front() != '{') return 0;
    const size_t end = rest_.find_first_not_of("0123456789,", 1);
    if (end == std::string_view::npos || rest_[end] != '}') return 0;
    const std::string_view bounds = rest_.substr(1, end - 1);
    const bool has_digit = bounds.find_first_not_of(',') != std::string_view::npos;
    return has_digit && std::ranges::count(bounds, ',') <= 1 ? end + 1 : 0;
  }

  void TakeInterval(size_t length) {
    const bool is_exact = rest_.substr(0, length).find(',') == std::string_view::npos;
    const char next = length < rest_.size() ? rest_[length] : '\0';
    if (next == '+' || (next == '?' && is_exact)) Refuse(rest_.substr(0, length + 1));
    if (rest_[1] == ',') {
      translated_ += "{0";
      Drop(1);
      --length;
    }
    Copy(length);
  }

  void Copy(size_t count) {
    translated_ += rest_.substr(0, count);
    Drop(count);
  }

  void Drop(size_t count) { rest_.remove_prefix(count); }

  [[noreturn]] void Refuse(std::string_view construct) const {
    throw Error(ErrorKind::kUnsupported,
                {.where = where_,
                 .expected = "a pattern without intersections, negated inner sets and repeated "
                             "intervals",
                 .found = fmt::format("\"{}\" in \"{}\"", construct, pattern_),
                 .hint = "This part of Oniguruma's syntax is not supported."});
  }

  std::string_view rest_;
  std::string_view pattern_;
  const std::string& where_;
  std::string translated_;
  int set_depth_ = 0;
};

}  // namespace

std::string TranslateToPcre2(std::string_view pattern, const std::string& where) {
  return Translator(pattern, where).Translate();
}

}  // namespace paroquant::text
