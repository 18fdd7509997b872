#include "paroquant/nn/linear.h"

#include <utility>

#include "paroquant/model/checkpoint.h"
#include "paroquant/nn/panel_product.h"

namespace paroquant::nn {

DenseLinear::DenseLinear(const io::TensorView& weight, std::vector<float> bias)
    : weight_(weight), bias_(std::move(bias)) {}

void DenseLinear::Forward(ConstMatrixRef input, MatrixRef output) const {
  const int64_t in_features = weight_.shape[1];
  const auto decode = [&](int64_t first, int64_t count, float* panel) {
    model::DecodeFloats(weight_, first * in_features, count * in_features, panel);
  };
  MultiplyPanels(input, decode, PanelLayout::kOutputMajor, bias_, output);
}

}  // namespace paroquant::nn
