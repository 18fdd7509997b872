#include "paroquant/base/nearest_word.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace paroquant {

size_t EditDistance(std::string_view a, std::string_view b) {
  // Row i of the table of distances between prefixes, overwritten in place.
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row.back();
}

std::string NearestWord(std::string_view word, const std::vector<std::string>& known, size_t most) {
  std::string nearest;
  size_t least = most + 1;
  for (const std::string& candidate : known) {
    const auto [shorter, longer] = std::minmax({word.size(), candidate.size()});
    if (longer - shorter >= least) continue;
    const size_t distance = EditDistance(word, candidate);
    if (distance < least) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

std::string NearestWord(std::string_view word, const std::vector<std::string>& known) {
  return NearestWord(word, known, word.size() / 3);
}

std::string LikelyWord(std::string_view word, const std::vector<std::string>& known) {
  if (word.empty()) return "";
  const auto whole =
      std::ranges::find_if(known, [&](const std::string& w) { return w.starts_with(word); });
  return whole != known.end() ? *whole : NearestWord(word, known);
}

}  // namespace paroquant
