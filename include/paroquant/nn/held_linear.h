// A linear layer whose weight lies in memory in float32 and may be changed between two uses: what
// training needs.
#ifndef PAROQUANT_NN_HELD_LINEAR_H_
#define PAROQUANT_NN_HELD_LINEAR_H_

#include <vector>

#include "paroquant/base/matrix.h"
#include "paroquant/nn/block.h"
#include "paroquant/nn/linear.h"

namespace paroquant::nn {

class HeldLinear : public Linear {
 public:
  // `weight` is channel-major, [K, N]; `bias` has N entries or none.
  HeldLinear(Matrix weight, std::vector<float> bias);

  int64_t out_features() const override { return weight_.cols(); }
  int64_t in_features() const override { return weight_.rows(); }
  void Forward(ConstMatrixRef input, MatrixRef output) const override;

  Matrix& weight() { return weight_; }
  const Matrix& weight() const { return weight_; }

 private:
  Matrix weight_;
  std::vector<float> bias_;
};

// A held copy [K, N] of a weight [N, K].
Matrix ChannelMajor(ConstMatrixRef weight);

// One entry for each of a block's linears, in the order of model::DescribeLinears.
template <typename T>
using PerLinear = std::vector<T>;

// The backward pass through a block whose linears are all HeldLinear. Gradients of those weights
// that have one are added up over calls.
class HeldLinearsBackward : public LinearBackward {
 public:
  // Linears whose gradient is null are passed through only. Both must outlive this.
  HeldLinearsBackward(const PerLinear<HeldLinear*>& linears,
                      const PerLinear<MatrixD*>& weight_gradients)
      : linears_(linears), weight_gradients_(weight_gradients) {}

  void Backward(size_t linear, ConstMatrixRef input, ConstMatrixRef output_gradient,
                Matrix* input_gradient) override;

 private:
  PerLinear<HeldLinear*> linears_;
  PerLinear<MatrixD*> weight_gradients_;  // [K, N]
};

}  // namespace paroquant::nn

#endif  // PAROQUANT_NN_HELD_LINEAR_H_
