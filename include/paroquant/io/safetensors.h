// The safetensors format: a little-endian u64 header length, a JSON header that places every
// tensor, then the tensors' bytes without holes. Row-major, little-endian.
#ifndef PAROQUANT_IO_SAFETENSORS_H_
#define PAROQUANT_IO_SAFETENSORS_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "paroquant/base/file.h"

namespace paroquant::io {

enum class DType {
  kBool,
  kU8,
  kI8,
  kI16,
  kU16,
  kF16,
  kBF16,
  kI32,
  kU32,
  kF32,
  kI64,
  kU64,
  kF64,
  kF8E4M3,
  kF8E5M2
};

// The name as the format spells it: "F16".
const char* DTypeName(DType dtype);
// The inverse of DTypeName; empty for a name that is not handled.
std::optional<DType> DTypeFromName(std::string_view name);
// Bytes per element.
size_t DTypeSize(DType dtype);

// A tensor in a mapped file. Valid as long as the SafetensorsFile (or TensorFolder) it came from.
struct TensorView {
  std::string name;
  DType dtype;
  std::vector<int64_t> shape;  // no negative extents; a scalar has none at all
  // elements() * DTypeSize(dtype) bytes. They may start at any address, aligned or not: copy them
  // out (base/half.h, memcpy) and never cast the pointer.
  std::span<const std::byte> bytes;
  std::filesystem::path file;

  // The product of the extents; the reader has made sure that it does not overflow.
  int64_t elements() const;
};

// `name` as messages show it: in quotes, shortened, without control characters.
std::string QuotedTensorName(std::string_view name);

// Headers longer than this are refused, by the format's own rule.
inline constexpr uint64_t kMaxSafetensorsHeader = 100'000'000;

// A memory-mapped safetensors file.
class SafetensorsFile {
 public:
  // Checks every rule of the format before any tensor is handed out. Throws kInput naming the file
  // and the tensor, kUnsupported for a dtype that is not handled, kSystem if it can't be mapped.
  static SafetensorsFile Open(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return file_.path(); }
  // In the order of their data.
  const std::vector<TensorView>& tensors() const { return tensors_; }
  // The header's free text, "__metadata__".
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  // nullptr if there is no such tensor.
  const TensorView* Find(std::string_view name) const;

 private:
  explicit SafetensorsFile(const std::filesystem::path& path) : file_(path) {}

  MappedFile file_;
  std::vector<TensorView> tensors_;
  std::map<std::string, std::string> metadata_;
  std::unordered_map<std::string_view, size_t> index_;  // the keys view the names in tensors_
};

}  // namespace paroquant::io

#endif  // PAROQUANT_IO_SAFETENSORS_H_
