// What normalizers, pre-tokenizers, post-processors and decoders have in common: JSON objects told
// apart by their "type", some of which hold a list of others.
#ifndef PAROQUANT_TEXT_COMPONENT_H_
#define PAROQUANT_TEXT_COMPONENT_H_

#include <functional>
#include <string>

#include "paroquant/io/json.h"

namespace paroquant::text {

// Throws kUnsupported: `found` is what the file holds under `key`, `supported` the choices.
[[noreturn]] void RefuseValue(const io::JsonObject& json, const char* key,
                              const std::string& supported);

// The JSON array under `key`, which must be there.
const io::Json& ArrayUnder(const io::JsonObject& json, const char* key);

// Calls visit for every object of the array under `key`.
void ForEachObject(const io::JsonObject& json, const char* key,
                   const std::function<void(const io::JsonObject&)>& visit);

}  // namespace paroquant::text

#endif  // PAROQUANT_TEXT_COMPONENT_H_
