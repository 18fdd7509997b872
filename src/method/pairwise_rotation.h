// Rotations of pairs of channels by closed-form angles.
//
// A rotation leaves the sum of squares of a group's weights alone, so their ranges, and with them
// the steps of the quantizer, shrink as the weights get more even: the sum of fourth powers is a
// smooth measure of that. For one pair of channels (i, j) and the file's convention
//   w_i' = c w_i + s w_j,  w_j' = -s w_i + c w_j
// it is, with u = w_i^2 - w_j^2 and v = 2 w_i w_j (vectors over the rows of the weight), least at
//   theta = -atan2(2 sum uv, sum vv - sum uu) / 4.
#ifndef PAROQUANT_METHOD_PAIRWISE_ROTATION_H_
#define PAROQUANT_METHOD_PAIRWISE_ROTATION_H_

#include <span>

#include "paroquant/base/matrix.h"
#include "paroquant/quant/quantized_linear.h"

namespace paroquant::method {

// The sums over rows that one pair's fourth powers depend on.
struct PairMoments {
  double uu, vv, uv;

  // The angle that minimises sum w_i^4 + w_j^4, in [-pi/4, pi/4].
  double BestAngle() const;
  // By how much that angle lowers it, >= 0.
  double Gain() const;
};

// `rounds` rounds, each a matching of all channels that takes pairs by falling gain, found for the
// weights that the (rounded) rounds before it leave. Each row w of the group counts as
// w / sqrt(|w|), its kurtosis thus weighted by its energy. `weights` is [g, N], g even.
quant::Rotation FindGroupRotation(Matrix weights, int rounds);

// Rotations of one group each (K = g), all of one size, as one of all their channels.
quant::Rotation JoinGroups(std::span<const quant::Rotation> groups);

// FindGroupRotation for all groups of channels [K, N].
quant::Rotation FindRotation(const Matrix& channels, int group_size, int rounds);

}  // namespace paroquant::method

#endif  // PAROQUANT_METHOD_PAIRWISE_ROTATION_H_
