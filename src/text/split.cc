#include "text/split.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "text/component.h"
#include "text/unicode.h"

namespace paroquant::text {
namespace {

struct Segment {
  Span span;
  bool is_match;
};

// Cuts `text` into matches and what lies between them.
void Segments(std::string_view text, const MatchFinder& find_matches, bool inverted,
              std::vector<Segment>& segments) {
  segments.clear();
  size_t end = 0;
  const auto add_gap = [&](size_t next) {
    if (end < next) segments.push_back({{.begin = end, .end = next}, inverted});
  };
  find_matches(text, [&](Span match) {
    add_gap(match.begin);
    segments.push_back({match, !inverted});
    end = match.end;
  });
  add_gap(text.size());
}

bool JoinsItsNeighbour(const Segment& segment, bool neighbour_is_match, SplitBehavior behavior) {
  switch (behavior) {
    case SplitBehavior::kContiguous:
      return segment.is_match == neighbour_is_match;
    case SplitBehavior::kMergedWithPrevious:
    case SplitBehavior::kMergedWithNext:
      return segment.is_match && !neighbour_is_match;
    case SplitBehavior::kRemoved:
    case SplitBehavior::kIsolated:
      return false;
  }
  return false;
}

Span Join(Span a, Span b) {
  return {.begin = std::min(a.begin, b.begin), .end = std::max(a.end, b.end)};
}

// Appends the pieces made of `segments`, `offset` further on. "With next" is "with previous", read
// backwards.
void AppendPieces(std::vector<Segment>& segments, SplitBehavior behavior, size_t offset,
                  std::vector<Span>& pieces) {
  const auto first = static_cast<std::ptrdiff_t>(pieces.size());
  const bool backwards = behavior == SplitBehavior::kMergedWithNext;
  if (backwards) std::ranges::reverse(segments);
  bool previous_is_match = false;
  for (const Segment& segment : segments) {
    const bool has_neighbour = std::ssize(pieces) > first;
    const Span span{.begin = segment.span.begin + offset, .end = segment.span.end + offset};
    if (has_neighbour && JoinsItsNeighbour(segment, previous_is_match, behavior)) {
      pieces.back() = Join(pieces.back(), span);
    } else if (!(segment.is_match && behavior == SplitBehavior::kRemoved)) {
      pieces.push_back(span);
    }
    previous_is_match = segment.is_match;
  }
  if (backwards) std::reverse(pieces.begin() + first, pieces.end());
}

}  // namespace

SplitBehavior LoadSplitBehavior(const io::JsonObject& json) {
  static const std::array<std::pair<std::string, SplitBehavior>, 5> kBehaviors = {{
      {"Removed", SplitBehavior::kRemoved},
      {"Isolated", SplitBehavior::kIsolated},
      {"MergedWithPrevious", SplitBehavior::kMergedWithPrevious},
      {"MergedWithNext", SplitBehavior::kMergedWithNext},
      {"Contiguous", SplitBehavior::kContiguous},
  }};
  const auto name = json.Get<std::string>("behavior");
  for (const auto& [known, behavior] : kBehaviors) {
    if (name == known) return behavior;
  }
  RefuseValue(json, "behavior",
              "Removed, Isolated, MergedWithPrevious, MergedWithNext or Contiguous");
}

MatchFinder CharacterFinder(std::function<bool(char32_t)> predicate) {
  return [predicate = std::move(predicate)](std::string_view text,
                                            const std::function<void(Span)>& visit) {
    for (size_t position = 0; position < text.size();) {
      const size_t begin = position;
      if (predicate(NextCharacter(text, position))) visit({.begin = begin, .end = position});
    }
  };
}

void SplitPieces(const MatchFinder& find_matches, SplitBehavior behavior, bool inverted,
                 Pieces& pieces) {
  std::vector<Span> spans;
  spans.reserve(pieces.spans.size());
  std::vector<Segment> segments;
  for (const Span piece : pieces.spans) {
    Segments(piece.In(pieces.text), find_matches, inverted, segments);
    AppendPieces(segments, behavior, piece.begin, spans);
  }
  std::erase_if(spans, [](Span span) { return span.size() == 0; });
  pieces.spans = std::move(spans);
}

}  // namespace paroquant::text
