#include "paroquant/nn/norm.h"

#include <cmath>

namespace paroquant::nn {

void RmsNorm::Forward(ConstMatrixRef input, MatrixRef output) const {
  const auto width = static_cast<Eigen::Index>(weight.size());
  const Eigen::Map<const Eigen::ArrayXf> scale(weight.data(), width);
  for (Eigen::Index row = 0; row < input.rows(); ++row) {
    for (Eigen::Index start = 0; start < input.cols(); start += width) {
      const auto x = input.row(row).segment(start, width).array();
      const float mean_square = x.square().sum() / static_cast<float>(width);
      const float factor = 1.0F / std::sqrt(mean_square + epsilon);
      output.row(row).segment(start, width).array() = x * factor * scale.transpose();
    }
  }
}

void RmsNorm::Backward(ConstMatrixRef input, ConstMatrixRef output_gradient,
                       MatrixRef input_gradient) const {
  const auto width = static_cast<Eigen::Index>(weight.size());
  const Eigen::Map<const Eigen::ArrayXf> scale(weight.data(), width);
  Eigen::Array<float, 1, Eigen::Dynamic> weighted(width);
  for (Eigen::Index row = 0; row < input.rows(); ++row) {
    for (Eigen::Index start = 0; start < input.cols(); start += width) {
      const auto x = input.row(row).segment(start, width).array();
      const float mean_square = x.square().sum() / static_cast<float>(width);
      const float factor = 1.0F / std::sqrt(mean_square + epsilon);
      weighted = output_gradient.row(row).segment(start, width).array() * scale.transpose();
      const float mean_product = (weighted * x).sum() / static_cast<float>(width);
      input_gradient.row(row).segment(start, width).array() =
          factor * (weighted - x * (factor * factor * mean_product));
    }
  }
}

}  // namespace paroquant::nn
