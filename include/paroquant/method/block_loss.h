// What tuning a block lowers: how far the block's output is from the one it should give.
#ifndef PAROQUANT_METHOD_BLOCK_LOSS_H_
#define PAROQUANT_METHOD_BLOCK_LOSS_H_

#include "paroquant/base/matrix.h"

namespace paroquant::method {

// Either the sum over all entries of SmoothL1 (beta 1), d^2/2 for |d| < 1 and |d| - 1/2 beyond; or
// the sum over tokens of d B d^T / 2, d a token's row of differences and B a weight. Both are
// divided by the number of entries. With the second moment of the gradients of the model's negative
// log likelihood at the block's output as B, the latter is, but for terms of higher order and B's
// scale, what the difference costs in KL divergence.
class BlockLoss {
 public:
  // SmoothL1.
  BlockLoss() = default;
  // Weighted by `curvature` [hidden, hidden], symmetric and positive semidefinite.
  explicit BlockLoss(const MatrixD& curvature);

  // `output` and `target` are [tokens, hidden].
  double Value(const ConstMatrixRef& output, const ConstMatrixRef& target) const;

  // Gives the value, and puts in place of `output` its derivative times the number of entries.
  double Backward(const ConstMatrixRef& target, Matrix& output) const;

 private:
  Matrix curvature_;  // empty: SmoothL1
};

}  // namespace paroquant::method

#endif  // PAROQUANT_METHOD_BLOCK_LOSS_H_
