// Applying a Rotation to activations and weights.
#ifndef PAROQUANT_QUANT_ROTATION_H_
#define PAROQUANT_QUANT_ROTATION_H_

#include <cstdint>
#include <span>
#include <vector>

#include "paroquant/base/matrix.h"
#include "paroquant/quant/quantized_linear.h"

namespace paroquant::quant {

// Rounds whose pairs (2t, 2t + 1) all have the angle 0: how a layout that demands rotations holds a
// weight that has none. `group_size` is even and divides `channels`.
Rotation IdentityRotation(int64_t channels, int group_size, int rounds = 1);

// A Rotation made ready to apply: sines, cosines and indices in plain tables. It is immutable, so
// any number of threads may use one. Many rows are spread over ParallelFor; a few are done on the
// calling thread. Either way a row's result depends on nothing but the number of rows.
//
// Each call takes a multiplier per channel ([K], or null for 1): the channel scales. Its sources
// and targets have the same shape and may be the same storage, but not overlap otherwise.
template <typename Scalar>
class PreparedRotation {
 public:
  using Rows = Eigen::Ref<MatrixOf<Scalar>, 0, Eigen::OuterStride<>>;
  using ConstRows = Eigen::Ref<const MatrixOf<Scalar>, 0, Eigen::OuterStride<>>;

  // Requires pairs that are a permutation of each group (see Problem()). Zero rounds are the
  // identity.
  explicit PreparedRotation(const Rotation& rotation);
  // The pairs of `rotation` with other angles, [rounds, K/2] as in Rotation::theta: what training
  // moves, before it is rounded to what a checkpoint holds.
  PreparedRotation(const Rotation& rotation, std::span<const Scalar> angles);

  int64_t channels() const { return channels_; }

  // target = rotate(source * diag(multiplier)), rows of K channels: [n, K]. With activations the
  // multiplier is QuantizedLinear::channel_scales, with weights its inverse.
  void RotateRows(const ConstRows& source, const Scalar* multiplier, Rows target) const;
  // The same for one group of one row: `source` and `multiplier` point to the whole row, `target`
  // to the group's channels.
  void RotateGroup(int64_t group, const Scalar* source, const Scalar* multiplier,
                   Scalar* target) const;
  // The inverse with the multiplier last: target = unrotate(source) * diag(multiplier).
  void UnrotateRows(const ConstRows& source, const Scalar* multiplier, Rows target) const;
  // RotateRows on the transposed layout, one channel per row: [K, n].
  void RotateChannels(const ConstRows& source, const Scalar* multiplier, Rows target) const;
  // UnrotateRows on the transposed layout.
  void UnrotateChannels(const ConstRows& source, const Scalar* multiplier, Rows target) const;

  // Backward passes on the transposed layout, without multipliers. In: `values` [K, n], what the
  // transformation gave, and `gradients`, the loss's gradient there. Out, in place: the values it
  // was given and the gradient there; the gradients of the angles are added to `angle_gradients`,
  // [rounds, K/2]. For a pair with outputs (x, y) a round of RotateChannels has
  //   d loss / d theta = sum(g_x y - g_y x),
  // the same at its inputs, since values and gradients turn alike; UnrotateChannels the negative.
  void RotateChannelsBackward(Rows values, Rows gradients, std::span<Scalar> angle_gradients) const;
  void UnrotateChannelsBackward(Rows values, Rows gradients,
                                std::span<Scalar> angle_gradients) const;

 private:
  enum class Direction { kForward, kInverse };
  // The channels of a group for 16 rows: each pair is then an operation on whole vectors.
  static constexpr int kTileRows = 16;
  using Tile = Eigen::Array<Scalar, Eigen::Dynamic, kTileRows, Eigen::RowMajor>;

  void RotateTile(int64_t group, Direction direction, Tile& tile) const;
  void TransformChannels(const ConstRows& source, const Scalar* multiplier, Direction direction,
                         Rows& target) const;
  // For a tile of values and gradients at the output of a transformation in `direction`; adds the
  // angles' gradients of the group, [rounds, g/2] with a lane for each row of the tile.
  void TileBackward(int64_t group, Direction direction, Tile& values, Tile& gradients,
                    Tile& angle_gradients) const;
  void ChannelsBackward(Direction direction, Rows& values, Rows& gradients,
                        std::span<Scalar> angle_gradients) const;
  void TransformRows(const ConstRows& source, const Scalar* multiplier, Direction direction,
                     Rows& target) const;
  // Zero rounds: the multiplier alone.
  static void ScaleRows(const ConstRows& source, const Scalar* multiplier, Rows& target);

  int64_t channels_;
  int group_size_;
  int rounds_;
  // [K/g, rounds, g/2]: what a group needs lies together. The pairs' channels inside the group.
  std::vector<int16_t> first_, second_;
  std::vector<Scalar> cosine_, sine_;
  // [K/g, rounds, g]: for a single row, where the firsts and then the seconds of a round lie in the
  // output of the round before, which is in the same order (before round 0: in channel order).
  std::vector<int16_t> origin_;
};

extern template class PreparedRotation<float>;
extern template class PreparedRotation<double>;

}  // namespace paroquant::quant

#endif  // PAROQUANT_QUANT_ROTATION_H_
