#include "paroquant/nn/linear.h"

#include <algorithm>
#include <span>
#include <utility>

#include "linalg/tile.h"
#include "paroquant/base/parallel.h"
#include "paroquant/linalg/product.h"

namespace paroquant::nn {
namespace {

// Fewer rows are not worth packing the weight for.
constexpr int64_t kFewRows = 8;
constexpr int64_t kFeaturesPerTask = 64;

}  // namespace

DenseLinear::DenseLinear(const model::WeightView& weight, std::vector<float> bias)
    : weight_(weight), bias_(std::move(bias)) {}

void DenseLinear::ForwardFew(ConstMatrixRef input, MatrixRef output) const {
  ParallelFor((out_features() + kFeaturesPerTask - 1) / kFeaturesPerTask, [&](int64_t task) {
    const int64_t end = std::min((task + 1) * kFeaturesPerTask, out_features());
    for (int64_t n = task * kFeaturesPerTask; n < end; ++n) {
      for (int64_t row = 0; row < input.rows(); ++row) {
        const std::span x(input.row(row).data(), static_cast<size_t>(in_features()));
        output(row, n) = model::DotFloats(weight_.tensor, weight_.first + n * weight_.stride, x);
      }
      if (!bias_.empty()) output.col(n).array() += bias_[static_cast<size_t>(n)];
    }
  });
}

void DenseLinear::Forward(ConstMatrixRef input, MatrixRef output) const {
  if (output.size() == 0) return;
  if (input.rows() < kFewRows && !weight_.channel_major) return ForwardFew(input, output);
  const auto pack = [&](const linalg::Panel& panel, float* strips) {
    thread_local Matrix rows;
    rows.resize(panel.columns, panel.depth);
    weight_.Read(panel.column, panel.k, rows);
    linalg::PackRows<linalg::kTileColumns>(rows, strips);
  };
  linalg::Multiply(input, pack, bias_, output);
}

}  // namespace paroquant::nn
