#include "paroquant/io/asked_keys.h"

#include <fmt/format.h>

#include <vector>

#include "paroquant/base/error.h"
#include "paroquant/base/nearest_word.h"

namespace paroquant::io {
namespace {

// More than that may be another word: configs have keys of many writers.
constexpr size_t kMostMistakes = 2;

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
    std::vector<std::string> absent;
    for (const std::string& name : asked) {
      // Hardly anybody mistypes the first letter, and cls_token_id is not eos_token_id.
      if (!object.contains(name) && name.front() == key.front()) absent.push_back(name);
    }
    const std::string nearest = NearestWord(key, absent, kMostMistakes);
    if (nearest.empty()) continue;
    throw Error(ErrorKind::kInput, {.where = JsonObject::PlaceOf(where, key),
                                    .expected = "a key that is read",
                                    .found = "one that is not, and no " + nearest,
                                    .hint = fmt::format("Did you mean {}?", nearest)});
  }
}

}  // namespace paroquant::io
