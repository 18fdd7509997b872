#include "paroquant/quant/quantized_linear.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "paroquant/base/half.h"

namespace paroquant::quant {
namespace {

// Keeps every product of two sizes well inside an int64_t.
constexpr int64_t kMaxFeatures = int64_t{1} << 30;
// Where there are rotations: ids inside a group are int16_t.
constexpr int kMaxGroupSize = 1 << 14;
constexpr int kMaxRounds = 1 << 10;

std::string SizeProblem(const char* name, size_t found, int64_t expected) {
  if (static_cast<int64_t>(found) == expected) return "";
  return fmt::format("{} has {} entries instead of {}", name, found, expected);
}

std::string RangeProblem(const char* name, const std::vector<uint8_t>& values, int bits) {
  for (const uint8_t value : values) {
    if (value >> bits != 0) return fmt::format("{} holds {}, beyond {} bits", name, value, bits);
  }
  return "";
}

// A half that is finite and > 0 lies, as an integer, between 0 and infinity's bits.
std::string ScaleProblem(const char* name, const std::vector<uint16_t>& halves) {
  constexpr uint16_t kInfinity = 0x7C00;
  for (const uint16_t bits : halves) {
    if (bits == 0 || bits >= kInfinity) {
      return fmt::format("{} holds {}, which is not finite and > 0", name, HalfToFloat(bits));
    }
  }
  return "";
}

std::string DimensionProblem(const QuantizedLinear& linear) {
  const auto [n, k] = std::pair(linear.out_features, linear.in_features);
  if (n < 1 || n > kMaxFeatures || k < 1 || k > kMaxFeatures) {
    return fmt::format("the shape [{}, {}] is out of range", n, k);
  }
  if (linear.bits != 2 && linear.bits != 3 && linear.bits != 4 && linear.bits != 8) {
    return fmt::format("{} bits are none of 2, 3, 4, 8", linear.bits);
  }
  const int g = linear.group_size;
  const int most = linear.rotation.rounds > 0 ? kMaxGroupSize : static_cast<int>(kMaxFeatures);
  if (g < 2 || g > most || g % 2 != 0 || k % g != 0) {
    return fmt::format("the group size {} is not even or does not divide {} channels", g, k);
  }
  return "";
}

// Every group of `pairs` must name each of its g channels once.
std::string PairsProblem(const Rotation& rotation) {
  const int g = rotation.group_size;
  std::vector<bool> seen(static_cast<size_t>(g));
  for (size_t start = 0; start < rotation.pairs.size(); start += static_cast<size_t>(g)) {
    std::fill(seen.begin(), seen.end(), false);
    for (size_t i = start; i < start + static_cast<size_t>(g); ++i) {
      const int16_t id = rotation.pairs[i];
      if (id < 0 || id >= g || seen[static_cast<size_t>(id)]) {
        return fmt::format("pairs are no permutation of a group: {} at entry {}", id, i);
      }
      seen[static_cast<size_t>(id)] = true;
    }
  }
  return "";
}

std::string OrderProblem(const QuantizedLinear& linear) {
  const auto channels = static_cast<size_t>(linear.in_features);
  if (linear.order.empty()) return "";
  std::vector<bool> seen(channels);
  for (const int32_t channel : linear.order) {
    const auto index = static_cast<size_t>(channel);
    if (index >= channels || seen[index]) {
      return fmt::format("the order of channels is no permutation: {}", channel);
    }
    seen[index] = true;
  }
  return SizeProblem("order", linear.order.size(), linear.in_features);
}

std::string RotationMismatch(const QuantizedLinear& linear) {
  const Rotation& rotation = linear.rotation;
  if (rotation.rounds == 0) return "";
  if (rotation.channels == linear.in_features && rotation.group_size == linear.group_size) {
    return "";
  }
  return fmt::format("the rotation is one of {} channels in groups of {} instead of {} in {}",
                     rotation.channels, rotation.group_size, linear.in_features, linear.group_size);
}

}  // namespace

bool IsSymmetric(const QuantizedLinear& linear) {
  const uint8_t middle = MiddleCode(linear.bits);
  return std::ranges::all_of(linear.zeros, [middle](uint8_t zero) { return zero == middle; });
}

std::string RotationProblem(const Rotation& rotation) {
  if (rotation.rounds < 0 || rotation.rounds > kMaxRounds) {
    return fmt::format("{} rounds of rotations are out of range", rotation.rounds);
  }
  const int64_t entries = rotation.rounds * rotation.channels;
  for (const std::string& problem : {SizeProblem("pairs", rotation.pairs.size(), entries),
                                     SizeProblem("theta", rotation.theta.size(), entries / 2)}) {
    if (!problem.empty()) return problem;
  }
  for (const uint16_t theta : rotation.theta) {
    if (!std::isfinite(HalfToFloat(theta))) return "theta holds an angle that is not finite";
  }
  return rotation.rounds > 0 ? PairsProblem(rotation) : "";
}

std::string Problem(const QuantizedLinear& linear) {
  std::string problem = DimensionProblem(linear);
  if (!problem.empty()) return problem;
  const int64_t n = linear.out_features;
  const int64_t k = linear.in_features;
  const int64_t groups = k / linear.group_size;
  for (std::string& size_problem :
       std::vector<std::string>{SizeProblem("codes", linear.codes.size(), n * k),
                                SizeProblem("zeros", linear.zeros.size(), n * groups),
                                SizeProblem("scales", linear.scales.size(), n * groups),
                                SizeProblem("channel_scales", linear.channel_scales.size(), k)}) {
    if (!size_problem.empty()) return std::move(size_problem);
  }
  for (std::string& value_problem : std::vector<std::string>{
           RangeProblem("codes", linear.codes, linear.bits),
           RangeProblem("zeros", linear.zeros, linear.bits), ScaleProblem("scales", linear.scales),
           ScaleProblem("channel_scales", linear.channel_scales), RotationMismatch(linear),
           RotationProblem(linear.rotation), OrderProblem(linear)}) {
    if (!value_problem.empty()) return std::move(value_problem);
  }
  return "";
}

}  // namespace paroquant::quant
