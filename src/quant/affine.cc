#include "paroquant/quant/affine.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "paroquant/base/half.h"
#include "paroquant/quant/quantized_linear.h"

namespace paroquant::quant {
namespace {

using ConstArrayMap = Eigen::Map<const Eigen::ArrayXf>;

ConstArrayMap AsArray(std::span<const float> values) {
  return {values.data(), static_cast<Eigen::Index>(values.size())};
}

int ZeroFor(float minimum, float scale, int bits) {
  return ToCode(-std::rint(minimum / scale), bits);
}

}  // namespace

Grid MinMaxGrid(std::span<const float> group, int bits, ZeroPoint zero) {
  assert(!group.empty());
  if (zero == ZeroPoint::kMiddle) {
    const float step = AsArray(group).abs().maxCoeff() / (static_cast<float>(MaxCode(bits)) / 2);
    return {SnapToHalf(std::clamp(step, kMinHalf, kMaxHalf)), MiddleCode(bits)};
  }
  const float minimum = std::min(AsArray(group).minCoeff(), 0.0F);
  const float maximum = std::max(AsArray(group).maxCoeff(), 0.0F);
  const float step = (maximum - minimum) / static_cast<float>(MaxCode(bits));
  const float scale = SnapToHalf(std::clamp(step, kMinHalf, kMaxHalf));
  return {scale, ZeroFor(minimum, scale, bits)};
}

Grid ReferenceMinMaxGrid(std::span<const float> group, int bits, ScaleType scale_type) {
  constexpr float kFloor = 1e-5F;
  const float minimum = AsArray(group).minCoeff();
  const float range = AsArray(group).maxCoeff() - minimum;
  const float step = std::max(range, kFloor) / static_cast<float>(MaxCode(bits));
  const float scale = std::max(step, kFloor);
  if (scale_type == ScaleType::kFloat) return {scale, ZeroFor(minimum, step, bits)};
  return {SnapToHalf(scale), ZeroFor(minimum, SnapToHalf(scale), bits)};
}

void QuantizeGroup(std::span<const float> group, const Grid& grid, int bits,
                   std::span<uint8_t> codes) {
  assert(codes.size() == group.size());
  const auto zero = static_cast<float>(grid.zero);
  Eigen::Map<Eigen::Array<uint8_t, Eigen::Dynamic, 1>>(codes.data(),
                                                       static_cast<Eigen::Index>(codes.size())) =
      ((AsArray(group) / grid.scale).rint() + zero)
          .max(0.0F)
          .min(static_cast<float>(MaxCode(bits)))
          .cast<uint8_t>();
}

void DequantizeGroup(std::span<const uint8_t> codes, const Grid& grid, std::span<float> group) {
  assert(codes.size() == group.size());
  for (size_t i = 0; i < codes.size(); ++i) {
    group[i] = static_cast<float>(codes[i] - grid.zero) * grid.scale;
  }
}

}  // namespace paroquant::quant
