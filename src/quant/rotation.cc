#include "paroquant/quant/rotation.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

#include "kernels/kernels.h"
#include "paroquant/base/half.h"
#include "paroquant/base/parallel.h"
#include "quant/transpose.h"

namespace paroquant::quant {
namespace {

// With fewer rows than this, row by row is faster than a tile that is mostly padding.
constexpr int64_t kFewRows = 3;
// How many columns of a channel-major matrix make an item of work.
constexpr int64_t kStripColumns = 512;

template <typename Scalar>
std::vector<Scalar> StoredAngles(const Rotation& rotation) {
  std::vector<Scalar> angles;
  angles.reserve(rotation.theta.size());
  for (const uint16_t angle : rotation.theta) angles.push_back(HalfToFloat(angle));
  return angles;
}

// A round of pairs, for kRotationLanes numbers of each channel of a tile.
void RotateRound(const int16_t* first, const int16_t* second, const float* cosine,
                 const float* sine, float sign, int64_t pairs, float* tile) {
  kernels::ActiveKernels().rotate_round(first, second, cosine, sine, sign, pairs, tile);
}
void RotateRound(const int16_t* first, const int16_t* second, const double* cosine,
                 const double* sine, double sign, int64_t pairs, double* tile) {
  using Lanes = Eigen::Array<double, 1, kernels::kRotationLanes>;
  for (int64_t pair = 0; pair < pairs; ++pair) {
    Eigen::Map<Lanes> x(tile + first[pair] * kernels::kRotationLanes);
    Eigen::Map<Lanes> y(tile + second[pair] * kernels::kRotationLanes);
    const Lanes a = x;
    const Lanes b = y;
    x = cosine[pair] * a + sign * sine[pair] * b;
    y = cosine[pair] * b - sign * sine[pair] * a;
  }
}

}  // namespace

Rotation IdentityRotation(int64_t channels, int group_size, int rounds) {
  assert(group_size % 2 == 0 && channels % group_size == 0);
  Rotation rotation{.channels = channels,
                    .group_size = group_size,
                    .rounds = rounds,
                    .pairs = std::vector<int16_t>(static_cast<size_t>(rounds * channels)),
                    .theta = std::vector<uint16_t>(static_cast<size_t>(rounds * channels / 2))};
  for (size_t i = 0; i < rotation.pairs.size(); ++i) {
    rotation.pairs[i] = static_cast<int16_t>(i % static_cast<size_t>(group_size));
  }
  return rotation;
}

template <typename Scalar>
PreparedRotation<Scalar>::PreparedRotation(const Rotation& rotation)
    : PreparedRotation(rotation, StoredAngles<Scalar>(rotation)) {}

template <typename Scalar>
PreparedRotation<Scalar>::PreparedRotation(const Rotation& rotation, std::span<const Scalar> angles)
    : channels_(rotation.channels),
      group_size_(rotation.group_size),
      rounds_(rotation.rounds),
      first_(angles.size()),
      second_(angles.size()),
      cosine_(angles.size()),
      sine_(angles.size()),
      origin_(rotation.pairs.size()) {
  assert(angles.size() == rotation.pairs.size() / 2);
  if (rounds_ == 0) return;
  const auto size = static_cast<size_t>(group_size_);
  const size_t half = size / 2;
  const size_t groups = static_cast<size_t>(channels_) / size;
  std::vector<int16_t> position(size);  // of each channel in the output of the round before
  size_t target = 0;
  for (size_t group = 0; group < groups; ++group) {
    for (size_t i = 0; i < size; ++i) position[i] = static_cast<int16_t>(i);
    for (size_t round = 0; round < static_cast<size_t>(rounds_); ++round) {
      const int16_t* pairs = &rotation.pairs[(round * groups + group) * size];
      const Scalar* theta = &angles[(round * groups + group) * half];
      int16_t* origin = &origin_[2 * target];
      for (size_t t = 0; t < half; ++t, ++target) {
        const auto angle = static_cast<double>(theta[t]);
        cosine_[target] = static_cast<Scalar>(std::cos(angle));
        sine_[target] = static_cast<Scalar>(std::sin(angle));
        first_[target] = pairs[2 * t];
        second_[target] = pairs[2 * t + 1];
        origin[t] = position[static_cast<size_t>(pairs[2 * t])];
        origin[half + t] = position[static_cast<size_t>(pairs[2 * t + 1])];
      }
      for (size_t t = 0; t < half; ++t) {
        position[static_cast<size_t>(pairs[2 * t])] = static_cast<int16_t>(t);
        position[static_cast<size_t>(pairs[2 * t + 1])] = static_cast<int16_t>(half + t);
      }
    }
  }
}

template <typename Scalar>
void PreparedRotation<Scalar>::RotateTile(int64_t group, Direction direction, Tile& tile) const {
  const int64_t half = group_size_ / 2;
  const bool inverse = direction == Direction::kInverse;
  const Scalar sign = inverse ? Scalar{-1} : Scalar{1};
  for (int64_t step = 0; step < rounds_; ++step) {
    const int64_t round = inverse ? rounds_ - 1 - step : step;
    const auto start = static_cast<size_t>((group * rounds_ + round) * half);
    RotateRound(&first_[start], &second_[start], &cosine_[start], &sine_[start], sign, half,
                tile.data());
  }
}

// Each round reads the pairs' channels from where the round before left them and writes all firsts,
// then all seconds: both are then contiguous, and only the reads are scattered.
template <typename Scalar>
void PreparedRotation<Scalar>::RotateGroup(int64_t group, const Scalar* source,
                                           const Scalar* multiplier, Scalar* target) const {
  static_assert(kTileRows == kernels::kRotationLanes);
  using Values = Eigen::Array<Scalar, Eigen::Dynamic, 1>;
  static thread_local Values input;
  static thread_local Values output;
  const int half = group_size_ / 2;
  const int64_t base = group * group_size_;
  output.resize(group_size_);
  input = Eigen::Map<const Values>(source + base, group_size_);
  if (multiplier != nullptr) input *= Eigen::Map<const Values>(multiplier + base, group_size_);
  if (rounds_ == 0) {
    Eigen::Map<Values>(target, group_size_) = input;
    return;
  }
  auto pair = static_cast<size_t>(group * rounds_ * half);
  for (int round = 0; round < rounds_; ++round, pair += static_cast<size_t>(half)) {
    const int16_t* origin = &origin_[2 * pair];
    for (int i = 0; i < group_size_; ++i) output[i] = input[origin[i]];
    const auto a = output.head(half);
    const auto b = output.tail(half);
    const Eigen::Map<const Values> cosine(&cosine_[pair], half);
    const Eigen::Map<const Values> sine(&sine_[pair], half);
    input.head(half) = cosine * a + sine * b;
    input.tail(half) = cosine * b - sine * a;
  }
  const size_t last = pair - static_cast<size_t>(half);
  for (int t = 0; t < half; ++t) {
    target[first_[last + static_cast<size_t>(t)]] = input[t];
    target[second_[last + static_cast<size_t>(t)]] = input[half + t];
  }
}

template <typename Scalar>
void PreparedRotation<Scalar>::TransformRows(const ConstRows& source, const Scalar* multiplier,
                                             Direction direction, Rows& target) const {
  const int64_t tiles = (source.rows() + kTileRows - 1) / kTileRows;
  ParallelFor(tiles, [&](int64_t index) {
    const int64_t start = index * kTileRows;
    const int64_t count = std::min<int64_t>(kTileRows, source.rows() - start);
    Tile tile = Tile::Zero(group_size_, kTileRows);
    auto channels = tile.leftCols(count).matrix();
    for (int64_t group = 0; group < channels_ / group_size_; ++group) {
      const int64_t base = group * group_size_;
      const auto scale = [&] {
        if (multiplier == nullptr) return;
        for (int i = 0; i < group_size_; ++i) tile.row(i) *= multiplier[base + i];
      };
      TransposeInto(source.block(start, base, count, group_size_), channels);
      if (direction == Direction::kForward) scale();
      RotateTile(group, direction, tile);
      if (direction == Direction::kInverse) scale();
      TransposeInto(channels, target.block(start, base, count, group_size_));
    }
  });
}

template <typename Scalar>
void PreparedRotation<Scalar>::RotateRows(const ConstRows& source, const Scalar* multiplier,
                                          Rows target) const {
  assert(source.rows() == target.rows() && source.cols() == target.cols());
  if (rounds_ == 0) {
    ScaleRows(source, multiplier, target);
  } else if (source.rows() < kFewRows) {
    for (int64_t row = 0; row < source.rows(); ++row) {
      for (int64_t group = 0; group < channels_ / group_size_; ++group) {
        RotateGroup(group, source.row(row).data(), multiplier,
                    target.row(row).data() + group * group_size_);
      }
    }
  } else {
    TransformRows(source, multiplier, Direction::kForward, target);
  }
}

template <typename Scalar>
void PreparedRotation<Scalar>::UnrotateRows(const ConstRows& source, const Scalar* multiplier,
                                            Rows target) const {
  assert(source.rows() == target.rows() && source.cols() == target.cols());
  if (rounds_ == 0) {
    ScaleRows(source, multiplier, target);
  } else {
    TransformRows(source, multiplier, Direction::kInverse, target);
  }
}

template <typename Scalar>
void PreparedRotation<Scalar>::RotateChannels(const ConstRows& source, const Scalar* multiplier,
                                              Rows target) const {
  TransformChannels(source, multiplier, Direction::kForward, target);
}

template <typename Scalar>
void PreparedRotation<Scalar>::UnrotateChannels(const ConstRows& source, const Scalar* multiplier,
                                                Rows target) const {
  TransformChannels(source, multiplier, Direction::kInverse, target);
}

template <typename Scalar>
void PreparedRotation<Scalar>::TransformChannels(const ConstRows& source, const Scalar* multiplier,
                                                 Direction direction, Rows& target) const {
  assert(source.rows() == target.rows() && source.cols() == target.cols());
  if (rounds_ == 0) {
    for (int64_t channel = 0; channel < source.rows(); ++channel) {
      const Scalar factor = multiplier == nullptr ? Scalar{1} : multiplier[channel];
      target.row(channel) = source.row(channel) * factor;
    }
    return;
  }
  const int64_t strips = (source.cols() + kStripColumns - 1) / kStripColumns;
  ParallelFor(strips * (channels_ / group_size_), [&](int64_t index) {
    const int64_t group = index / strips;
    const int64_t base = group * group_size_;
    const int64_t begin = index % strips * kStripColumns;
    const int64_t end = std::min<int64_t>(begin + kStripColumns, source.cols());
    const auto scale = [&](Direction when, Tile& tile) {
      if (multiplier == nullptr || when != direction) return;
      for (int i = 0; i < group_size_; ++i) tile.row(i) *= multiplier[base + i];
    };
    Tile tile = Tile::Zero(group_size_, kTileRows);
    for (int64_t start = begin; start < end; start += kTileRows) {
      const int64_t count = std::min<int64_t>(kTileRows, end - start);
      tile.leftCols(count) = source.block(base, start, group_size_, count).array();
      scale(Direction::kForward, tile);
      RotateTile(group, direction, tile);
      scale(Direction::kInverse, tile);
      target.block(base, start, group_size_, count) = tile.leftCols(count).matrix();
    }
  });
}

template <typename Scalar>
void PreparedRotation<Scalar>::ScaleRows(const ConstRows& source, const Scalar* multiplier,
                                         Rows& target) {
  if (multiplier == nullptr) {
    target = source;
  } else {
    target = source * Eigen::Map<const VectorOf<Scalar>>(multiplier, source.cols()).asDiagonal();
  }
}

template class PreparedRotation<float>;
template class PreparedRotation<double>;

}  // namespace paroquant::quant
