// Which experts of a mixture a token goes to.
#ifndef PAROQUANT_NN_ROUTER_H_
#define PAROQUANT_NN_ROUTER_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "paroquant/base/matrix.h"

namespace paroquant::nn {

// The rows that an expert is applied to, ascending, and what its outputs are multiplied by.
struct ExpertShare {
  std::vector<int64_t> rows;
  std::vector<float> weights;
};
using Routing = std::vector<ExpertShare>;  // one for each expert

class Router {
 public:
  // `weight` [experts, hidden].
  Router(Matrix weight, int64_t per_token, bool normalized)
      : weight_(std::move(weight)), per_token_(per_token), normalized_(normalized) {}

  int64_t experts() const { return weight_.rows(); }

  // For each row of `input` [T, hidden] the `per_token` experts with the largest logits weight
  // input^T; of equals the first. Weights are p = softmax(logits), divided by the sum of those
  // chosen if the router is `normalized`.
  Routing Route(ConstMatrixRef input) const;

  // From gradients at the weights, shaped like those of Route(input), to that at the input, which
  // is added to `input_gradient`. The choice itself is taken as fixed.
  void Backward(ConstMatrixRef input, const Routing& routing,
                const std::vector<std::vector<float>>& weight_gradients,
                MatrixRef input_gradient) const;

 private:
  // softmax(input weight^T), [T, experts].
  Matrix Probabilities(ConstMatrixRef input) const;

  Matrix weight_;
  int64_t per_token_;
  bool normalized_;
};

}  // namespace paroquant::nn

#endif  // PAROQUANT_NN_ROUTER_H_
