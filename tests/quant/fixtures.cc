#include "tests/quant/fixtures.h"

#include <numbers>
#include <numeric>
#include <vector>

#include "paroquant/base/half.h"
#include "paroquant/base/rng.h"

namespace paroquant::quant::testing {

Matrix RandomMatrix(int64_t rows, int64_t columns, uint64_t seed) {
  Rng rng(seed);
  return Matrix::NullaryExpr(rows, columns, [&] { return static_cast<float>(rng.Normal()); });
}

Rotation RandomRotation(int64_t channels, int group_size, int rounds, uint64_t seed) {
  Rng rng(seed);
  Rotation rotation;
  rotation.channels = channels;
  rotation.group_size = group_size;
  rotation.rounds = rounds;
  std::vector<int16_t> group(static_cast<size_t>(group_size));
  for (int64_t i = 0; i < rounds * channels / group_size; ++i) {
    std::iota(group.begin(), group.end(), int16_t{0});
    rng.Shuffle(group);
    rotation.pairs.insert(rotation.pairs.end(), group.begin(), group.end());
  }
  for (int64_t i = 0; i < rounds * channels / 2; ++i) {
    const double theta = std::numbers::pi * (2 * rng.Uniform() - 1);
    rotation.theta.push_back(FloatToHalf(static_cast<float>(theta)));
  }
  return rotation;
}

QuantizedLinear RandomQuantizedLinear(int64_t out_features, int64_t in_features, int bits,
                                      int group_size, uint64_t seed) {
  Rng rng(seed);
  QuantizedLinear linear;
  linear.out_features = out_features;
  linear.in_features = in_features;
  linear.bits = bits;
  linear.group_size = group_size;
  linear.rotation = RandomRotation(in_features, group_size, 8, seed + 1);
  const auto code = [&] { return static_cast<uint8_t>(rng.Below(uint64_t{1} << bits)); };
  const auto scale = [&] { return FloatToHalf(static_cast<float>(0.5 + rng.Uniform())); };
  for (int64_t i = 0; i < out_features * in_features; ++i) linear.codes.push_back(code());
  for (int64_t i = 0; i < out_features * in_features / group_size; ++i) {
    linear.zeros.push_back(code());
    linear.scales.push_back(scale());
  }
  for (int64_t i = 0; i < in_features; ++i) linear.channel_scales.push_back(scale());
  return linear;
}

}  // namespace paroquant::quant::testing
