// "Did you mean": the known word nearest to a mistyped one.
#ifndef PAROQUANT_BASE_NEAREST_WORD_H_
#define PAROQUANT_BASE_NEAREST_WORD_H_

#include <string>
#include <string_view>
#include <vector>

namespace paroquant {

// Insertions, deletions and substitutions of a character that turn one word into the other
// (Levenshtein distance).
size_t EditDistance(std::string_view a, std::string_view b);

// The word of `known` with the least edit distance from `word` (the first of equals), or "" if even
// that is more than `most` away. Words whose lengths alone differ by more cost nothing.
std::string NearestWord(std::string_view word, const std::vector<std::string>& known, size_t most);

// The same with a third of the word's length as the most: what typing mistakes come to.
std::string NearestWord(std::string_view word, const std::vector<std::string>& known);

// The first word of `known` that begins with `word`, which is not empty, or else the nearest.
std::string LikelyWord(std::string_view word, const std::vector<std::string>& known);

}  // namespace paroquant

#endif  // PAROQUANT_BASE_NEAREST_WORD_H_
