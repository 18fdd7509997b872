// Where in a file a key of JSON lies, for errors.
#ifndef PAROQUANT_IO_JSON_LINE_H_
#define PAROQUANT_IO_JSON_LINE_H_

#include <cstdint>
#include <string_view>

namespace paroquant::io {

// The line, from 1 on, that a byte of a text lies in.
int64_t LineAt(std::string_view text, size_t byte);

// The line where `text`, which ParseJson takes, has a key: "a.b" is the key b of the object under
// the key a. 0 if it has none.
int64_t LineOfKey(std::string_view text, std::string_view key);

}  // namespace paroquant::io

#endif  // PAROQUANT_IO_JSON_LINE_H_
