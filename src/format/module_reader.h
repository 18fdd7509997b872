// Reading the tensors of one packed module.
#ifndef PAROQUANT_FORMAT_MODULE_READER_H_
#define PAROQUANT_FORMAT_MODULE_READER_H_

#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "paroquant/io/tensor_folder.h"
#include "paroquant/model/tensors.h"
#include "paroquant/quant/packed_view.h"
#include "paroquant/quant/quantized_linear.h"

namespace paroquant::format {

// Finds a module's tensors and says what is wrong with them: kInput, naming the tensor.
class ModuleReader {
 public:
  ModuleReader(const io::TensorFolder& tensors, const std::string& module)
      : tensors_(tensors), module_(module) {}

  // The tensor `module` + `suffix`, of this dtype and shape.
  const io::TensorView& Get(const char* suffix, io::DType dtype,
                            const std::vector<int64_t>& shape) const;
  // The same with two extents, whatever they are.
  const io::TensorView& Get(const char* suffix, io::DType dtype) const;
  // Null if there is none.
  const io::TensorView* Find(const char* suffix) const;

  // Scales of this shape as halves; stored in another float type they must be exact in 16 bits,
  // else kUnsupported.
  std::vector<uint16_t> Halves(const char* suffix, const std::vector<int64_t>& shape) const;

  [[noreturn]] static void Fail(const io::TensorView& tensor, const std::string& expected,
                                const std::string& found);

 private:
  const io::TensorFolder& tensors_;
  std::string module_;
};

template <typename T>
std::vector<T> CopyElements(const io::TensorView& tensor) {
  std::vector<T> values(tensor.bytes.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
  return values;
}

// What a view points to beside the mapped file.
using ViewStorage = std::vector<std::vector<std::byte>>;

// A tensor's elements in place, or a copy in `storage` where they are not aligned.
template <typename T>
std::span<const T> Elements(const io::TensorView& tensor, ViewStorage& storage) {
  const std::byte* data = tensor.bytes.data();
  if (reinterpret_cast<uintptr_t>(data) % alignof(T) != 0) {
    data = storage.emplace_back(tensor.bytes.begin(), tensor.bytes.end()).data();
  }
  return {reinterpret_cast<const T*>(data), tensor.bytes.size() / sizeof(T)};
}

// The bytes of `values`.
template <typename T>
std::vector<std::byte> ToBytes(const std::vector<T>& values) {
  const auto bytes = std::as_bytes(std::span(values));
  return {bytes.begin(), bytes.end()};
}

// A layer without channel scales and rotations whose codes, zeros and scales are to be filled in.
quant::QuantizedLinear PlainLinear(const model::LinearInfo& info, int bits, int group_size);

// Throws kInput if K does not divide into such groups, kUnsupported if N fills no whole words or
// groups are no multiples of 8 channels.
void RequireFit(const io::TensorView& codes, const model::LinearInfo& info, int bits,
                int group_size);
// The same, and kUnsupported if K, along which codes lie in sequence, fills no whole words.
void RequireFitInRows(const io::TensorView& codes, const model::LinearInfo& info, int bits,
                      int group_size);

}  // namespace paroquant::format

#endif  // PAROQUANT_FORMAT_MODULE_READER_H_
