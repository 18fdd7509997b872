// What a tokenizer file searches for: a literal string or a regular expression.
#ifndef PAROQUANT_TEXT_PATTERN_H_
#define PAROQUANT_TEXT_PATTERN_H_

#include <functional>
#include <string>
#include <string_view>
#include <variant>

#include "paroquant/io/json.h"
#include "text/regex.h"

namespace paroquant::text {

class Pattern {
 public:
  // Reads {"String": ...} or {"Regex": ...}. Throws kInput, kUnsupported.
  static Pattern Load(const io::JsonObject& json);
  // An empty literal matches nowhere.
  explicit Pattern(std::string literal) : matcher_(std::move(literal)) {}
  explicit Pattern(Regex regex) : matcher_(std::move(regex)) {}

  // Calls visit for every match in `text` (valid UTF-8), from left to right.
  void ForEachMatch(std::string_view text, const std::function<void(Span)>& visit) const;

  // `text` with every match replaced by `content`, taken literally. Throws kUnsupported if that is
  // no modest growth.
  std::string Replace(std::string_view text, std::string_view content) const;

 private:
  std::variant<std::string, Regex> matcher_;
};

}  // namespace paroquant::text

#endif  // PAROQUANT_TEXT_PATTERN_H_
