// No packing at all: every engine loads plain weights.
#include <fmt/format.h>

#include <cmath>

#include "format/layout.h"
#include "format/module_reader.h"
#include "paroquant/base/half.h"
#include "paroquant/quant/dequantize.h"

namespace paroquant::format {
namespace {

constexpr std::array kBits = {2, 3, 4, 8};
constexpr std::array kSuffixes = {".weight"};

std::vector<io::TensorSpec> Specs(const model::LinearInfo& info, const PackedShape& /*shape*/) {
  return {{info.name + ".weight", io::DType::kF16, {info.out_features, info.in_features}}};
}

std::vector<std::vector<std::byte>> EncodeTensors(const quant::QuantizedLinear& linear,
                                                  const PackedStyle& /*style*/) {
  const Matrix weight = quant::EffectiveWeight(linear);
  std::vector<uint16_t> halves(static_cast<size_t>(weight.size()));
  for (size_t i = 0; i < halves.size(); ++i) halves[i] = FloatToHalf(weight.data()[i]);
  return {ToBytes(halves)};
}

std::string FindObstacle(const quant::QuantizedLinear& linear) {
  constexpr float kMostHalf = 65504.0F;
  const float most = quant::EffectiveWeight(linear).cwiseAbs().maxCoeff();
  return most <= kMostHalf ? "" : fmt::format("a weight of {}, more than F16 holds", most);
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
