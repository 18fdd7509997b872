// Rounding to grids inside a network that is trained: the forward pass gives the values that the
// codes stand for, the backward pass takes rounding for the identity (straight-through, arXiv
// 1308.3432) and is exact in all else.
//
// All weights are channel-major [K, N]; the grid of group G and row n of the layer is column n of
// row G of the grids, [K/g, N].
#ifndef PAROQUANT_METHOD_FAKE_QUANTIZATION_H_
#define PAROQUANT_METHOD_FAKE_QUANTIZATION_H_

#include "paroquant/base/matrix.h"
#include "paroquant/quant/affine.h"

namespace paroquant::method {

struct Grids {
  Matrix scales;  // > 0
  Matrix zeros;   // real while they are learned; used rounded and clamped to [0, 2^bits)
};

// What the clamping to [0, 2^bits) lets through of a gradient.
enum class ClampGradient {
  kStraightThrough,  // everything, as if nothing were clamped: what the paper does
  kExact,            // nothing to a weight out of range; its grid gets it instead
};

// values = (clamp(round(w / scale) + z) - z) * scale, z the rounded and clamped zero point.
void FakeQuantize(const Matrix& weights, const Grids& grids, int bits, Matrix& values);

// `gradient` is that at FakeQuantize's values and becomes that at the weights; those of the grids
// are stored to `grid_gradients`. With code c and everything in range
//   d value / d w = 1,  d value / d scale = (c - z) - w / scale,  d value / d z = 0,
// out of range and with kExact
//   d value / d w = 0,  d value / d scale = c - z,  d value / d z = -scale.
void FakeQuantizeBackward(const Matrix& weights, const Grids& grids, int bits, ClampGradient clamp,
                          Matrix& gradient, Grids& grid_gradients);

// Grids from the least to the greatest weight of each group, widened to contain 0, or symmetric
// ones, as quant::MinMaxGrid has them but not rounded to what a checkpoint holds.
Grids MinMaxGrids(const Matrix& weights, int group_size, int bits, quant::ZeroPoint zero);

// Adds to `gradient` what the gradients of MinMaxGrids' scales pass on to the least and greatest
// weights; with kStraightThrough those of the zeros are none.
void MinMaxGridsBackward(const Matrix& weights, const Matrix& scale_gradients, int bits,
                         quant::ZeroPoint zero, Matrix& gradient);

}  // namespace paroquant::method

#endif  // PAROQUANT_METHOD_FAKE_QUANTIZATION_H_
