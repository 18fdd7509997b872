// Stored layers of every layout, whole and spoilt.
#ifndef PAROQUANT_TESTS_FORMAT_FIXTURES_H_
#define PAROQUANT_TESTS_FORMAT_FIXTURES_H_

#include <array>
#include <cstddef>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "paroquant/base/error.h"
#include "paroquant/format/packed_format.h"
#include "tests/testing/paths.h"

namespace paroquant::format::testing {

inline constexpr char kModule[] = "model.layers.0.mlp.up_proj";
inline constexpr std::array kPackedFormats = {FormatKind::kParoquant, FormatKind::kAwq,
                                              FormatKind::kGptq, FormatKind::kGptqV2,
                                              FormatKind::kCompressedTensors};

model::LinearInfo Info(int64_t out_features, int64_t in_features);

// The tensors of a layer of 16 outputs and 64 inputs, to be spoilt one at a time, by what stands
// behind the module's name and a dot.
struct StoredTensor {
  io::DType dtype;
  std::vector<int64_t> shape;
  std::vector<std::byte> bytes;
};
using StoredLayer = std::map<std::string, StoredTensor>;

// A model folder that holds one layer and no other tensor.
class LayerFolder {
 public:
  // Of 4 bits in groups of 32, if nothing else is said.
  LayerFolder(FormatKind format, const std::vector<PackedTensor>& tensors,
              QuantizationConfig settings = {.group_size = 32});
  LayerFolder(FormatKind format, const StoredLayer& layer,
              const QuantizationConfig& settings = {.group_size = 32});
  model::Checkpoint Open() const;

 private:
  paroquant::testing::TemporaryFolder root_;
};

// A layer that this layout can hold, and how it does.
quant::QuantizedLinear SmallLinear(FormatKind format);
StoredLayer GoodLayer(FormatKind format);
// The same with the even and the odd channels as groups, the odd ones first.
quant::QuantizedLinear OrderedLinear(FormatKind format);

template <typename T>
std::vector<T> Values(const std::vector<std::byte>& bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

quant::QuantizedLinear ReadLayer(FormatKind format, const StoredLayer& layer);
Error ReadError(FormatKind format, const StoredLayer& layer);

}  // namespace paroquant::format::testing

#endif  // PAROQUANT_TESTS_FORMAT_FIXTURES_H_
