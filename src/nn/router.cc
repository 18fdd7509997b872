#include "paroquant/nn/router.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "paroquant/linalg/product.h"

namespace paroquant::nn {
namespace {

// The `count` largest entries' places, the largest first.
std::vector<int64_t> Largest(const ConstMatrixRef& rows, int64_t row, int64_t count) {
  std::vector<int64_t> order(static_cast<size_t>(rows.cols()));
  std::iota(order.begin(), order.end(), 0);
  std::partial_sort(order.begin(), order.begin() + count, order.end(), [&](int64_t a, int64_t b) {
    return rows(row, a) != rows(row, b) ? rows(row, a) > rows(row, b) : a < b;
  });
  order.resize(static_cast<size_t>(count));
  return order;
}

}  // namespace

Matrix Router::Probabilities(ConstMatrixRef input) const {
  Matrix logits(input.rows(), experts());
  linalg::MultiplyTransposed(input, weight_, logits);
  for (Eigen::Index row = 0; row < logits.rows(); ++row) {
    auto values = logits.row(row).array();
    values = (values - values.maxCoeff()).exp();
    values /= values.sum();
  }
  return logits;
}

Routing Router::Route(ConstMatrixRef input) const {
  const Matrix probabilities = Probabilities(input);
  Routing routing(static_cast<size_t>(experts()));
  for (Eigen::Index row = 0; row < input.rows(); ++row) {
    const std::vector<int64_t> chosen = Largest(probabilities, row, per_token_);
    float sum = 0.0F;
    for (const int64_t expert : chosen) sum += probabilities(row, expert);
    for (const int64_t expert : chosen) {
      ExpertShare& share = routing[static_cast<size_t>(expert)];
      share.rows.push_back(row);
      share.weights.push_back(probabilities(row, expert) / (normalized_ ? sum : 1.0F));
    }
  }
  return routing;
}

// With the gradients d at the weights w and m = sum of d w over the chosen, the gradient at the
// logits is w (d - m) for them if the weights are normalized; else it is w d - p m for all experts,
// d = 0 for those not chosen.
void Router::Backward(ConstMatrixRef input, const Routing& routing,
                      const std::vector<std::vector<float>>& weight_gradients,
                      MatrixRef input_gradient) const {
  Matrix logits = Matrix::Zero(input.rows(), experts());  // gradient
  Matrix weights = Matrix::Zero(input.rows(), experts());
  Vector means = Vector::Zero(input.rows());
  for (size_t expert = 0; expert < routing.size(); ++expert) {
    const ExpertShare& share = routing[expert];
    for (size_t i = 0; i < share.rows.size(); ++i) {
      const auto column = static_cast<Eigen::Index>(expert);
      const float product = share.weights[i] * weight_gradients[expert][i];
      weights(share.rows[i], column) = share.weights[i];
      logits(share.rows[i], column) = product;
      means[share.rows[i]] += product;
    }
  }
  const Matrix pull = normalized_ ? std::move(weights) : Probabilities(input);
  logits -= means.asDiagonal() * pull;
  Matrix through(input.rows(), input.cols());
  linalg::Multiply(logits, weight_, through);
  input_gradient += through;
}

}  // namespace paroquant::nn
