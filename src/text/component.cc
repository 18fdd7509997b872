#include "text/component.h"

#include <fmt/format.h>

#include "paroquant/base/error.h"

namespace paroquant::text {

void RefuseValue(const io::JsonObject& json, const char* key, const std::string& supported) {
  const std::string found = json.Has(key) ? json.json().at(key).dump() : "nothing";
  throw Error(ErrorKind::kUnsupported, {.where = fmt::format("{}: {}", json.where(), key),
                                        .expected = supported,
                                        .found = found,
                                        .hint = "Tokenizers with this part are not supported."});
}

const io::Json& ArrayUnder(const io::JsonObject& json, const char* key) {
  if (!json.Has(key)) json.Fail(key, "an array", "nothing");
  const io::Json& array = json.json().at(key);
  if (!array.is_array()) json.Fail(key, "an array", array.type_name());
  return array;
}

void ForEachObject(const io::JsonObject& json, const char* key,
                   const std::function<void(const io::JsonObject&)>& visit) {
  const io::Json& array = ArrayUnder(json, key);
  for (size_t i = 0; i < array.size(); ++i) {
    visit(io::JsonObject(array[i], fmt::format("{}: {}[{}]", json.where(), key, i)));
  }
}

}  // namespace paroquant::text
