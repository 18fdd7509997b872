#include "paroquant/method/block_loss.h"

#include <cassert>

#include "paroquant/base/parallel.h"
#include "paroquant/linalg/product.h"

namespace paroquant::method {
namespace {

double SmoothL1(Eigen::Ref<const Eigen::RowVectorXf> difference) {
  const auto d = difference.cwiseAbs().array();
  return (d < 1.0F).select(0.5F * d * d, d - 0.5F).sum();
}

}  // namespace

BlockLoss::BlockLoss(const MatrixD& curvature) : curvature_(curvature.cast<float>()) {}

double BlockLoss::Value(const ConstMatrixRef& output, const ConstMatrixRef& target) const {
  Matrix copy = output;
  return Backward(target, copy);
}

double BlockLoss::Backward(const ConstMatrixRef& target, Matrix& output) const {
  assert(output.rows() == target.rows() && output.cols() == target.cols());
  VectorD sums(output.rows());
  if (curvature_.size() == 0) {
    ParallelFor(output.rows(), [&](int64_t row) {
      output.row(row) -= target.row(row);
      sums[row] = SmoothL1(output.row(row));
      output.row(row) = output.row(row).cwiseMax(-1.0F).cwiseMin(1.0F);
    });
  } else {
    const Matrix difference = output - target;
    linalg::Multiply(difference, curvature_, output);
    ParallelFor(output.rows(),
                [&](int64_t row) { sums[row] = 0.5F * difference.row(row).dot(output.row(row)); });
  }
  return sums.sum() / static_cast<double>(output.size());
}

}  // namespace paroquant::method
