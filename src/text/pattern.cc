#include "text/pattern.h"

#include <optional>

#include "text/growth.h"

namespace paroquant::text {
namespace {

void ForEachOccurrence(std::string_view text, std::string_view literal,
                       const std::function<void(Span)>& visit) {
  if (literal.empty()) return;
  size_t begin = text.find(literal);
  while (begin != std::string_view::npos) {
    const size_t end = begin + literal.size();
    visit({.begin = begin, .end = end});
    begin = text.find(literal, end);
  }
}

}  // namespace

Pattern Pattern::Load(const io::JsonObject& json) {
  if (json.Has("String")) return Pattern(json.Get<std::string>("String"));
  return Pattern(Regex(json.Get<std::string>("Regex"), json.where() + ": Regex"));
}

void Pattern::ForEachMatch(std::string_view text, const std::function<void(Span)>& visit) const {
  if (const auto* literal = std::get_if<std::string>(&matcher_)) {
    return ForEachOccurrence(text, *literal, visit);
  }
  Regex::Search search(std::get<Regex>(matcher_), text);
  while (const std::optional<Span> match = search.Next()) visit(*match);
}

std::string Pattern::Replace(std::string_view text, std::string_view content) const {
  std::string replaced;
  replaced.reserve(text.size());
  size_t copied = 0;
  ForEachMatch(text, [&](Span match) {
    replaced.append(text.substr(copied, match.begin - copied));
    replaced.append(content);
    RequireModestGrowth(text.size(), replaced.size());
    copied = match.end;
  });
  replaced.append(text.substr(copied));
  return replaced;
}

}  // namespace paroquant::text
