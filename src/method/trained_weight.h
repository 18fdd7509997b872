// The weight of a linear layer as training sees it: a chain of smooth maps with a rounding in its
// middle (arXiv 2511.10645, section 3).
//
//   B = diag(m) A                      A = (W / channel_scales)^T of the start, [K, N]; m = 1 there
//   P = rotate(B)                      pairs fixed, angles moved
//   Q = fake-quantized P               grids learned, or the range of P
//   effective = diag(channel_scales / m) unrotate(Q)
//
// The column scales are thus learned as factors of those that the start has.
#ifndef PAROQUANT_METHOD_TRAINED_WEIGHT_H_
#define PAROQUANT_METHOD_TRAINED_WEIGHT_H_

#include <vector>

#include "method/fake_quantization.h"
#include "paroquant/base/matrix.h"
#include "paroquant/quant/quantized_linear.h"

namespace paroquant::method {

enum class GridSource {
  kMinMax,   // the range of the rotated weights, whatever they are at each step
  kLearned,  // parameters of their own
};

// What training moves, or the gradient there.
struct WeightParameters {
  Matrix weight;          // A, [K, N]
  Vector column_factors;  // m, [K]
  Vector angles;          // [rounds * K/2], as Rotation::theta
  Grids grids;            // [K/g, N]
};

class TrainedWeight {
 public:
  // Starts at `start`, with `weight` [N, K] as what is rounded. If `keep_codes` it is first moved
  // into the cells of the start's codes, up to `margin` (< 0.5) steps from their centres: the start
  // then comes out of Snap() as it went in, however its codes were found.
  TrainedWeight(const quant::QuantizedLinear& start, const ConstMatrixRef& weight, bool keep_codes,
                float margin);

  WeightParameters& parameters() { return parameters_; }
  const WeightParameters& parameters() const { return parameters_; }

  // The effective weight [K, N]; remembers what Backward needs.
  void Forward(GridSource source, Matrix& effective);
  // The gradients of the parameters from that at the effective weight, which is the one of the last
  // Forward. With kMinMax those of the grids mean nothing.
  void Backward(GridSource source, ClampGradient clamp, const Matrix& effective,
                Matrix effective_gradient, WeightParameters& gradients) const;

  // Puts learned grids where kMinMax has them now.
  void FixGrids();

  // Everything rounded to what a checkpoint holds, and only then the weights.
  quant::QuantizedLinear Snap(GridSource source) const;

 private:
  // 1 / m times the start's channel scales: what the effective weight is multiplied by.
  Vector ChannelScales() const;
  Matrix RotatedWeight() const;

  quant::QuantizedLinear start_;  // its bits, sizes and pairs
  Vector start_scales_;           // [K], channel scales
  WeightParameters parameters_;
  Matrix rotated_;  // P of the last Forward
  Grids grids_;     // as the last Forward used them
};

}  // namespace paroquant::method

#endif  // PAROQUANT_METHOD_TRAINED_WEIGHT_H_
