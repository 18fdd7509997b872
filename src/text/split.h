// Cutting pieces at matches, with the five ways to treat the matches themselves.
#ifndef PAROQUANT_TEXT_SPLIT_H_
#define PAROQUANT_TEXT_SPLIT_H_

#include <functional>
#include <string_view>

#include "paroquant/io/json.h"
#include "text/pre_tokenizer.h"

namespace paroquant::text {

enum class SplitBehavior {
  kRemoved,             // matches are dropped
  kIsolated,            // each match is a piece
  kMergedWithPrevious,  // a match ends the piece before it
  kMergedWithNext,      // a match begins the piece after it
  kContiguous,          // adjacent matches are one piece
};

// The behavior under the key "behavior". Throws kInput, kUnsupported.
SplitBehavior LoadSplitBehavior(const io::JsonObject& json);

// Calls visit for every match in the text, from left to right.
using MatchFinder = std::function<void(std::string_view, const std::function<void(Span)>& visit)>;

// Finds every single character that `predicate` holds for.
MatchFinder CharacterFinder(std::function<bool(char32_t)> predicate);

// Cuts every piece. `inverted`: what lies between the matches is treated as the match.
void SplitPieces(const MatchFinder& find_matches, SplitBehavior behavior, bool inverted,
                 Pieces& pieces);

}  // namespace paroquant::text

#endif  // PAROQUANT_TEXT_SPLIT_H_
