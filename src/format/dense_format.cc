// No packing at all: every engine loads plain weights.
#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "format/layout.h"
#include "format/module_reader.h"
#include "paroquant/base/half.h"
#include "paroquant/quant/dequantize.h"

namespace paroquant::format {
namespace {

constexpr std::array kBits = {2, 3, 4, 8};
constexpr std::array kSuffixes = {".weight"};

std::vector<io::TensorSpec> Specs(const model::LinearInfo& info, const PackedShape& shape) {
  return {{info.name + ".weight", shape.style.dtype, {info.out_features, info.in_features}}};
}

template <uint16_t (*kRound)(float)>
std::vector<std::byte> Round(const Matrix& weight) {
  std::vector<uint16_t> rounded(static_cast<size_t>(weight.size()));
  std::transform(weight.data(), weight.data() + weight.size(), rounded.begin(), kRound);
  return ToBytes(rounded);
}

std::vector<std::vector<std::byte>> EncodeTensors(const quant::QuantizedLinear& linear,
                                                  const PackedStyle& style) {
  const Matrix weight = quant::EffectiveWeight(linear);
  if (style.dtype == io::DType::kF16) return {Round<FloatToHalf>(weight)};
  if (style.dtype == io::DType::kBF16) return {Round<FloatToBFloat16>(weight)};
  assert(style.dtype == io::DType::kF32);
  const auto bytes = std::as_bytes(std::span(weight.data(), static_cast<size_t>(weight.size())));
  return {{bytes.begin(), bytes.end()}};
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
