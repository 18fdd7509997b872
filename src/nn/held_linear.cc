#include "paroquant/nn/held_linear.h"

#include <utility>

#include "paroquant/linalg/product.h"

namespace paroquant::nn {

HeldLinear::HeldLinear(Matrix weight, std::vector<float> bias)
    : weight_(std::move(weight)), bias_(std::move(bias)) {}

void HeldLinear::Forward(ConstMatrixRef input, MatrixRef output) const {
  linalg::Multiply(input, weight_, output);
  if (bias_.empty()) return;
  output.rowwise() += Eigen::Map<const Vector>(bias_.data(), out_features()).transpose();
}

Matrix ChannelMajor(ConstMatrixRef weight) { return weight.transpose(); }

void HeldLinearsBackward::Backward(size_t linear, ConstMatrixRef input,
                                   ConstMatrixRef output_gradient, Matrix* input_gradient) {
  if (weight_gradients_[linear] != nullptr) {
    linalg::AddCrossProduct(input, output_gradient, *weight_gradients_[linear]);
  }
  if (input_gradient == nullptr) return;
  input_gradient->resize(input.rows(), input.cols());
  linalg::MultiplyTransposed(output_gradient, linears_[linear]->weight(), *input_gradient);
}

}  // namespace paroquant::nn
