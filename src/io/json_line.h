// Where in a file of JSON something lies, for errors.
#ifndef PAROQUANT_IO_JSON_LINE_H_
#define PAROQUANT_IO_JSON_LINE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "paroquant/io/json.h"

namespace paroquant::io {

// The line, from 1 on, that a byte of a text lies in.
int64_t LineAt(std::string_view text, size_t byte);

// The line where `text`, which ParseJson takes, has a key: "a.b" is the key b of the object under
// the key a. 0 if it has none.
int64_t LineOfKey(std::string_view text, std::string_view key);

// The line of the first key that its object has twice, or else of what ends the reading. 0 if
// `text` is read to its end.
int64_t LineOfFault(std::string_view text);

// ParseJson of a file that a user writes: its errors name the line, and say to mend the file and
// not to fetch it again.
Json ParseWrittenJson(std::string_view text, const std::string& file);

}  // namespace paroquant::io

#endif  // PAROQUANT_IO_JSON_LINE_H_
