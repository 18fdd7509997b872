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

}  // namespace paroquant::nn
