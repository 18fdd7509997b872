#include <algorithm>
#include <cassert>

#include "paroquant/base/parallel.h"
#include "paroquant/quant/rotation.h"

namespace paroquant::quant {
namespace {

// How many columns share one sum of the angles' gradients.
constexpr int64_t kColumnsPerStrip = 512;

}  // namespace

template <typename Scalar>
void PreparedRotation<Scalar>::TileBackward(int64_t group, Direction direction, Tile& values,
                                            Tile& gradients, Tile& angle_gradients) const {
  using Lanes = Eigen::Array<Scalar, 1, kTileRows>;
  const auto half = static_cast<size_t>(group_size_ / 2);
  const auto rounds = static_cast<size_t>(rounds_);
  const bool inverse = direction == Direction::kInverse;
  for (size_t step = 0; step < rounds; ++step) {
    // The inverse ends with round 0, which is thus the first to be undone.
    const size_t round = inverse ? step : rounds - 1 - step;
    const size_t start = (static_cast<size_t>(group) * rounds + round) * half;
    for (size_t pair = 0; pair < half; ++pair) {
      const int64_t i = first_[start + pair];
      const int64_t j = second_[start + pair];
      const Scalar c = cosine_[start + pair];
      const Scalar s = inverse ? sine_[start + pair] : -sine_[start + pair];
      Eigen::Map<Lanes> x(values.data() + i * kTileRows);
      Eigen::Map<Lanes> y(values.data() + j * kTileRows);
      Eigen::Map<Lanes> gx(gradients.data() + i * kTileRows);
      Eigen::Map<Lanes> gy(gradients.data() + j * kTileRows);
      Eigen::Map<Lanes> sum(angle_gradients.data() +
                            static_cast<int64_t>(round * half + pair) * kTileRows);
      const Lanes a = x;
      const Lanes b = y;
      const Lanes ga = gx;
      const Lanes gb = gy;
      if (inverse) {
        sum += gb * a - ga * b;
      } else {
        sum += ga * b - gb * a;
      }
      x = c * a + s * b;
      y = c * b - s * a;
      gx = c * ga + s * gb;
      gy = c * gb - s * ga;
    }
  }
}

template <typename Scalar>
void PreparedRotation<Scalar>::ChannelsBackward(Direction direction, Rows& values, Rows& gradients,
                                                std::span<Scalar> angle_gradients) const {
  assert(values.rows() == gradients.rows() && values.cols() == gradients.cols());
  if (rounds_ == 0) return;
  assert(angle_gradients.size() == static_cast<size_t>(rounds_ * channels_ / 2));
  const int64_t strips = (values.cols() + kColumnsPerStrip - 1) / kColumnsPerStrip;
  const int64_t groups = channels_ / group_size_;
  const int64_t half = group_size_ / 2;
  // A row per item of work, so that the sums do not depend on who does it: [rounds * g/2] each.
  MatrixOf<Scalar> sums(groups * strips, rounds_ * half);
  ParallelFor(groups * strips, [&](int64_t index) {
    const int64_t group = index / strips;
    const int64_t base = group * group_size_;
    const int64_t begin = index % strips * kColumnsPerStrip;
    const int64_t end = std::min<int64_t>(begin + kColumnsPerStrip, values.cols());
    Tile value_tile = Tile::Zero(group_size_, kTileRows);
    Tile gradient_tile = Tile::Zero(group_size_, kTileRows);
    Tile lanes = Tile::Zero(rounds_ * half, kTileRows);
    for (int64_t start = begin; start < end; start += kTileRows) {
      const int64_t count = std::min<int64_t>(kTileRows, end - start);
      auto value_block = values.block(base, start, group_size_, count);
      auto gradient_block = gradients.block(base, start, group_size_, count);
      // Unused lanes must not bring back what an earlier tile left in them.
      if (count < kTileRows) gradient_tile.setZero();
      value_tile.leftCols(count) = value_block.array();
      gradient_tile.leftCols(count) = gradient_block.array();
      TileBackward(group, direction, value_tile, gradient_tile, lanes);
      value_block = value_tile.leftCols(count).matrix();
      gradient_block = gradient_tile.leftCols(count).matrix();
    }
    sums.row(index) = lanes.matrix().rowwise().sum().transpose();
  });
  for (int64_t index = 0; index < sums.rows(); ++index) {
    for (int64_t round = 0; round < rounds_; ++round) {
      const int64_t target = (round * channels_ + index / strips * group_size_) / 2;
      for (int64_t pair = 0; pair < half; ++pair) {
        angle_gradients[static_cast<size_t>(target + pair)] += sums(index, round * half + pair);
      }
    }
  }
}

template <typename Scalar>
void PreparedRotation<Scalar>::RotateChannelsBackward(Rows values, Rows gradients,
                                                      std::span<Scalar> angle_gradients) const {
  ChannelsBackward(Direction::kForward, values, gradients, angle_gradients);
}

template <typename Scalar>
void PreparedRotation<Scalar>::UnrotateChannelsBackward(Rows values, Rows gradients,
                                                        std::span<Scalar> angle_gradients) const {
  ChannelsBackward(Direction::kInverse, values, gradients, angle_gradients);
}

// Member by member: the class as a whole is instantiated where its constructors are.
template void PreparedRotation<float>::TileBackward(int64_t, Direction, Tile&, Tile&, Tile&) const;
template void PreparedRotation<double>::TileBackward(int64_t, Direction, Tile&, Tile&, Tile&) const;
template void PreparedRotation<float>::ChannelsBackward(Direction, Rows&, Rows&,
                                                        std::span<float>) const;
template void PreparedRotation<double>::ChannelsBackward(Direction, Rows&, Rows&,
                                                         std::span<double>) const;
template void PreparedRotation<float>::RotateChannelsBackward(Rows, Rows, std::span<float>) const;
template void PreparedRotation<float>::UnrotateChannelsBackward(Rows, Rows, std::span<float>) const;
template void PreparedRotation<double>::RotateChannelsBackward(Rows, Rows, std::span<double>) const;
template void PreparedRotation<double>::UnrotateChannelsBackward(Rows, Rows,
                                                                 std::span<double>) const;

}  // namespace paroquant::quant
