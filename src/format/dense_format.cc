// No packing at all: every engine loads plain weights.
#include <fmt/format.h>

#include "format/layout.h"
#include "paroquant/base/half.h"
#include "paroquant/model/encode_floats.h"
#include "paroquant/quant/dequantize.h"

namespace paroquant::format {
namespace {

constexpr std::array kBits = {2, 3, 4, 8};
constexpr std::array kSuffixes = {".weight"};

std::vector<io::TensorSpec> Specs(const model::LinearInfo& info, const PackedShape& shape) {
  return {{info.name + ".weight", shape.style.dtype, {info.out_features, info.in_features}}};
}

std::vector<std::vector<std::byte>> EncodeTensors(const quant::QuantizedLinear& linear,
                                                  const PackedStyle& style) {
  const Matrix weight = quant::EffectiveWeight(linear);
  return {model::EncodeFloats({weight.data(), static_cast<size_t>(weight.size())}, style.dtype)};
}

std::string FindObstacle(const quant::QuantizedLinear& linear, const PackedStyle& style) {
  if (style.dtype != io::DType::kF16) return "";
  const float most = quant::EffectiveWeight(linear).cwiseAbs().maxCoeff();
  return most <= kMaxHalf ? "" : fmt::format("a weight of {}, more than F16 holds", most);
}

}  // namespace

const Layout& DenseLayout() {
  static constexpr Layout kLayout{.format = FormatKind::kDense,
                                  .name = "fp16",
                                  .suffixes = kSuffixes,
                                  .bits = kBits,
                                  .whole_rows = true,
                                  .read = nullptr,
                                  .specs = Specs,
                                  .encode = EncodeTensors,
                                  .obstacle = FindObstacle,
                                  .parse = nullptr,
                                  .describe = nullptr};
  return kLayout;
}

}  // namespace paroquant::format
