// The basis a weight is quantized in: W' = W S R^T with S = 1 / channel_scales.
#ifndef PAROQUANT_METHOD_BASIS_H_
#define PAROQUANT_METHOD_BASIS_H_

#include <cstdint>
#include <vector>

#include "paroquant/base/matrix.h"
#include "paroquant/method/input_statistics.h"
#include "paroquant/quant/quantized_linear.h"

namespace paroquant::method {

// Every value as it will be stored, so that nothing moves after the codes are chosen.
struct Basis {
  std::vector<uint16_t> channel_scales;  // [K] halves: the inverse of S
  quant::Rotation rotation;
};

// Channel scales 1 and rounds of rotations by 0.
Basis IdentityBasis(int64_t channels, int group_size, int rounds = 1);

// A layer in this basis whose codes, zeros and scales are still to be filled in.
quant::QuantizedLinear EmptyLinear(int64_t out_features, Basis basis, int bits);

// S, [K], from the stored channel scales.
Vector ColumnScales(const std::vector<uint16_t>& channel_scales);

// (W S)^T, [K, N], of W [N, K]: the layout the methods work in, a channel per row.
Matrix ScaledChannels(const ConstMatrixRef& weight, const Vector& column_scales);

// The weight in the basis, channel by channel: (W S R^T)^T, [K, N].
Matrix RotatedChannels(const ConstMatrixRef& weight, const Basis& basis);

// The second moment of the inputs in the basis, T H T^T with T = R S^-1, in place of H.
void TransformMoment(const Basis& basis, MatrixD& moment);

// The same with `damping` times its mean diagonal added there. Damped after the channel scales, a
// layer whose inputs and weight have exchanged scale (outlier channels) stays the same problem. If
// the inputs are all 0, the identity.
MatrixD DampedMoment(const InputStatistics& statistics, const Basis& basis, double damping);

}  // namespace paroquant::method

#endif  // PAROQUANT_METHOD_BASIS_H_
