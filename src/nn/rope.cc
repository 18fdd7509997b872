#include "paroquant/nn/rope.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace paroquant::nn {
namespace {

using model::RopeScaling;
using model::RopeSettings;

constexpr double kTwoPi = 2.0 * std::numbers::pi;

std::vector<double> PlainFrequencies(double theta, int64_t channels) {
  std::vector<double> frequencies(static_cast<size_t>(channels / 2));
  for (size_t i = 0; i < frequencies.size(); ++i) {
    frequencies[i] = std::pow(theta, -2.0 * static_cast<double>(i) / static_cast<double>(channels));
  }
  return frequencies;
}

// "NTK-aware" scaling: the base grows once the sequence is longer than the pretraining context.
double DynamicTheta(const RopeSettings& rope, int64_t channels, int64_t length) {
  const auto context = static_cast<double>(rope.original_max_positions);
  const double ratio = std::max(static_cast<double>(length), context) / context;
  const auto dim = static_cast<double>(channels);
  return rope.theta * std::pow(rope.factor * ratio - (rope.factor - 1.0), dim / (dim - 2.0));
}

// Llama 3.1: long waves are stretched by the factor, short ones kept, a ramp between.
double Llama3Frequency(const RopeSettings& rope, double frequency) {
  const auto context = static_cast<double>(rope.original_max_positions);
  const double turns = context * frequency / kTwoPi;  // within the pretraining context
  const double ramp = std::clamp((turns - rope.low_frequency_factor) /
                                     (rope.high_frequency_factor - rope.low_frequency_factor),
                                 0.0, 1.0);
  return frequency * (ramp + (1.0 - ramp) / rope.factor);
}

// YaRN (arXiv 2309.00071, section 3.2): the same idea, with the ramp linear in the dimension.
void ApplyYarn(const RopeSettings& rope, int64_t channels, std::vector<double>& frequencies) {
  const auto dimension_of = [&](double turns) {
    const auto context = static_cast<double>(rope.original_max_positions);
    return static_cast<double>(channels) * std::log(context / (turns * kTwoPi)) /
           (2.0 * std::log(rope.theta));
  };
  double low = dimension_of(rope.beta_fast);
  double high = dimension_of(rope.beta_slow);
  if (rope.truncate) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, static_cast<double>(channels - 1));
  if (low == high) high += 0.001;
  for (size_t i = 0; i < frequencies.size(); ++i) {
    const double ramp = std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
    frequencies[i] *= (1.0 - ramp) + ramp / rope.factor;
  }
}

// LongRoPE (arXiv 2402.13753): searched for, one by one.
void ApplyLongRope(const RopeSettings& rope, int64_t length, std::vector<double>& frequencies) {
  const std::vector<double>& factors =
      length > rope.original_max_positions ? rope.long_factors : rope.short_factors;
  for (size_t i = 0; i < frequencies.size(); ++i) frequencies[i] /= factors[i];
}

}  // namespace

std::vector<double> RopeFrequencies(const RopeSettings& rope, int64_t head_dim, int64_t length) {
  const int64_t channels = model::RotaryChannels(rope, head_dim);
  const double theta =
      rope.scaling == RopeScaling::kDynamic ? DynamicTheta(rope, channels, length) : rope.theta;
  std::vector<double> frequencies = PlainFrequencies(theta, channels);
  if (rope.scaling == RopeScaling::kLinear) {
    for (double& frequency : frequencies) frequency /= rope.factor;
  } else if (rope.scaling == RopeScaling::kLlama3) {
    for (double& frequency : frequencies) frequency = Llama3Frequency(rope, frequency);
  } else if (rope.scaling == RopeScaling::kYarn) {
    ApplyYarn(rope, channels, frequencies);
  } else if (rope.scaling == RopeScaling::kLongRope) {
    ApplyLongRope(rope, length, frequencies);
  }
  return frequencies;
}

RopeTable::RopeTable(const RopeSettings& rope, int64_t head_dim, int64_t first, int64_t count)
    : head_dim_(head_dim) {
  const std::vector<double> frequencies = RopeFrequencies(rope, head_dim, first + count);
  cosine_.resize(count, std::ssize(frequencies));
  sine_.resize(count, std::ssize(frequencies));
  for (int64_t t = 0; t < count; ++t) {
    for (int64_t i = 0; i < std::ssize(frequencies); ++i) {
      const double angle = static_cast<double>(first + t) * frequencies[static_cast<size_t>(i)];
      cosine_(t, i) = static_cast<float>(std::cos(angle) * rope.attention_factor);
      sine_(t, i) = static_cast<float>(std::sin(angle) * rope.attention_factor);
    }
  }
}

void RopeTable::Apply(MatrixRef rows) const { Turn(rows, 1.0F); }

void RopeTable::ApplyTransposed(MatrixRef rows) const { Turn(rows, -1.0F); }

void RopeTable::Turn(MatrixRef rows, float direction) const {
  const int64_t half = cosine_.cols();
  Eigen::Array<float, 1, Eigen::Dynamic> rotated(half);
  for (int64_t t = 0; t < rows.rows(); ++t) {
    const auto cosine = cosine_.row(t).array();
    const auto sine = sine_.row(t).array() * direction;
    for (int64_t start = 0; start < rows.cols(); start += head_dim_) {
      auto low = rows.row(t).segment(start, half).array();
      auto high = rows.row(t).segment(start + half, half).array();
      rotated = low * cosine - high * sine;
      high = high * cosine + low * sine;
      low = rotated;
    }
  }
}

RopeTables::RopeTables(const model::Architecture& architecture, int64_t first, int64_t count)
    : global_(architecture.rope, architecture.head_dim, first, count) {
  const auto& uses = architecture.rope_uses;
  if (std::ranges::find(uses, model::RopeUse::kLocal) != uses.end()) {
    local_.emplace(architecture.local_rope, architecture.head_dim, first, count);
  }
}

const RopeTable* RopeTables::Of(model::RopeUse use) const {
  if (use == model::RopeUse::kNone) return nullptr;
  return use == model::RopeUse::kGlobal ? &global_ : &*local_;
}

}  // namespace paroquant::nn
