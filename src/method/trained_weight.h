// The weight of a linear layer as training sees it: a chain of smooth maps with a rounding in its
// middle (arXiv 2511.10645, section 3).
//
//   B = diag(m) A                      A = (W / channel_scales)^T of the start, [K, N]; m = 1 there
//   P = rotate(B)                      pairs fixed, angles moved
//   Q = fake-quantized P               grids learned, or the range of P
//   effective = diag(channel_scales / m) unrotate(Q)
//
// The column scales are thus learned as factors of those that the start has. Or what is trained is
// V = P / scales, in steps of the grids: angles, column scales and grid scales then only move what
// the codes stand for, and only V the codes. That is the way to go on from codes found with error
// feedback: turned under the rounding, they are soon no better than the nearest ones.
#ifndef PAROQUANT_METHOD_TRAINED_WEIGHT_H_
#define PAROQUANT_METHOD_TRAINED_WEIGHT_H_

#include <vector>

#include "method/fake_quantization.h"
#include "paroquant/base/matrix.h"
#include "paroquant/quant/quantized_linear.h"
#include "paroquant/quant/rotation.h"

namespace paroquant::method {

enum class GridSource {
  kMinMax,   // the range of the rotated weights, whatever they are at each step
  kLearned,  // parameters of their own
};

enum class TrainedBasis {
  kOriginal,  // A is trained, as in the paper
  kSteps,     // V is
};

// What training moves, or the gradient there.
struct WeightParameters {
  Matrix weight;          // A or V, [K, N]
  Vector column_factors;  // m, [K]
  Vector angles;          // [rounds * K/2], as Rotation::theta
  Grids grids;            // [K/g, N]
};

class TrainedWeight {
 public:
  // Starts at `start`, with `weight` [N, K] as what is rounded. In steps it is first
  // moved into the cells of the start's codes, up to `margin` (< 0.5) steps from their centres: the
  // start then comes out of Snap() as it went in, however its codes were found.
  // If its codes are symmetric, they stay so.
  TrainedWeight(const quant::QuantizedLinear& start, const ConstMatrixRef& weight,
                TrainedBasis basis, float margin);

  // Are zero points something to learn?
  bool LearnsZeros() const { return zero_ == quant::ZeroPoint::kFree; }

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
  // P by these angles and, as what A is multiplied by, these factors [K].
  Matrix RotatedWeight(const quant::PreparedRotation<float>& rotation, const Vector& factors) const;
  // From the gradient at P to that at A or V, in place; adds to those of what lies between.
  void RotatedWeightBackward(const quant::PreparedRotation<float>& rotation, Matrix& gradient,
                             WeightParameters& gradients) const;
  quant::PreparedRotation<float> Rotation() const;

  quant::QuantizedLinear start_;  // its bits, sizes and pairs
  TrainedBasis basis_;
  quant::ZeroPoint zero_;
  Vector start_scales_;  // [K], channel scales
  WeightParameters parameters_;
  Matrix rotated_;  // P of the last Forward
  Grids grids_;     // as the last Forward used them
};

}  // namespace paroquant::method

#endif  // PAROQUANT_METHOD_TRAINED_WEIGHT_H_
