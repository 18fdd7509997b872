// The JSON header of a safetensors file: parsed and written side by side.
#ifndef PAROQUANT_IO_SAFETENSORS_HEADER_H_
#define PAROQUANT_IO_SAFETENSORS_HEADER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "paroquant/base/error.h"
#include "paroquant/io/safetensors.h"

namespace paroquant::io {

// The little-endian length of the JSON text comes before it.
inline constexpr size_t kHeaderLengthBytes = 8;

// What the header says about one tensor.
struct HeaderEntry {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;
  // The tensor's bytes, counted from the end of the header.
  uint64_t begin = 0;
  uint64_t end = 0;
};

struct SafetensorsHeader {
  std::vector<HeaderEntry> entries;
  std::map<std::string, std::string> metadata;
};

// The bytes that `shape` takes; empty if the number of elements or of bytes has no int64_t.
std::optional<int64_t> TensorBytes(DType dtype, const std::vector<int64_t>& shape);

// Parses the JSON text. Checks that it is what the format asks for, but not how the tensors lie in
// the data and that their names differ. `file` names the file in errors (kInput, kUnsupported).
SafetensorsHeader ParseHeader(std::string_view text, const std::string& file);

// The first bytes of a file: the length, then the JSON text with the entries in the order given,
// padded with spaces so that the data starts at a multiple of 8.
std::string EncodeHeader(const SafetensorsHeader& header);

// A kInput error about a tensor, or about the file as a whole if `tensor` is empty.
Error DamagedFile(const std::string& file, std::string_view tensor, std::string expected,
                  std::string found);

}  // namespace paroquant::io

#endif  // PAROQUANT_IO_SAFETENSORS_HEADER_H_
