#include "paroquant/io/asked_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "paroquant/base/error.h"
#include "paroquant/base/nearest_word.h"

namespace paroquant::io {
namespace {

// More than that, or than one in four letters, may be another word: configs have keys of many
// writers.
constexpr size_t kMostMistakes = 2;
constexpr size_t kLettersAMistake = 4;

// Of the many special tokens each has a key of its own: eot_token_id is not eos_token_id.
bool IsOfAToken(const std::string& key) { return key.find("_token_id") != std::string::npos; }

}  // namespace

void AskedKeys::RefuseMistyped(const Json& object, const std::string& where) const {
  const auto place = keys_.find(where);
  if (place == keys_.end() || !object.is_object()) return;
  const std::set<std::string>& asked = place->second;
  for (const auto& [key, value] : object.items()) {
    if (asked.contains(key)) {
      RefuseMistyped(value, JsonObject::PlaceOf(where, key));
      continue;
    }
    if (key.empty() || IsOfAToken(key)) continue;
    std::vector<std::string> absent;
    for (const std::string& name : asked) {
      // Hardly anybody mistypes the first letter.
      if (name.front() == key.front() && !object.contains(name)) absent.push_back(name);
    }
    const std::string nearest =
        NearestWord(key, absent, std::min(kMostMistakes, key.size() / kLettersAMistake));
    if (nearest.empty()) continue;
    throw Error(ErrorKind::kInput, {.where = JsonObject::PlaceOf(where, key),
                                    .expected = "a key that is read",
                                    .found = "one that is not",
                                    .hint = fmt::format("Did you mean {}?", nearest)});
  }
}

}  // namespace paroquant::io
