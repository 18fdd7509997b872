#include "method/code_descent.h"

#include <algorithm>
#include <cmath>

#include "paroquant/base/half.h"
#include "paroquant/base/parallel.h"
#include "paroquant/linalg/product.h"
#include "paroquant/quant/affine.h"
#include "paroquant/quant/dequantize.h"

namespace paroquant::method {
namespace {

constexpr int64_t kBlockRows = 128;

class Descent {
 public:
  Descent(const Matrix& channels, const MatrixD& moment, const MatrixD* output_moment,
          quant::QuantizedLinear& linear)
      : moment_(moment.cast<float>()),
        output_moment_(output_moment),
        linear_(linear),
        errors_(channels.transpose() - quant::Dequantize(linear)) {}

  void Pass() {
    for (int64_t first = 0; first < linear_.out_features; first += kBlockRows) {
      const int64_t rows = std::min(kBlockRows, linear_.out_features - first);
      Matrix gradients(rows, linear_.in_features);
      linalg::Multiply(CoupledErrors(first, rows), moment_, gradients);
      if (output_moment_ == nullptr) {
        ParallelFor(rows, [&](int64_t i) { DescendRow(first + i, gradients.row(i)); });
      } else {
        DescendInTurn(first, gradients);
      }
    }
  }

 private:
  // Of each row its error and, by how far they belong together, those of the others.
  Matrix CoupledErrors(int64_t first, int64_t rows) const {
    if (output_moment_ == nullptr) return errors_.middleRows(first, rows);
    Matrix weights = output_moment_->middleRows(first, rows).cast<float>();
    for (int64_t i = 0; i < rows; ++i) weights.row(i) /= weights(i, first + i);
    Matrix coupled(rows, linear_.in_features);
    linalg::Multiply(weights, errors_, coupled);
    return coupled;
  }

  // Each row sees what those before it have become.
  void DescendInTurn(int64_t first, Matrix& gradients) {
    Eigen::RowVectorXf change;
    for (int64_t i = 0; i < gradients.rows(); ++i) {
      change = gradients.row(i);
      DescendRow(first + i, gradients.row(i));
      change = gradients.row(i) - change;
      for (int64_t j = i + 1; j < gradients.rows(); ++j) {
        const double weight = (*output_moment_)(first + j, first + i);
        gradients.row(j) +=
            static_cast<float>(weight / (*output_moment_)(first + j, first + j)) * change;
      }
    }
  }

  // `gradient` is that of half the loss at the row's errors, over B's diagonal element.
  void DescendRow(int64_t row, Eigen::Ref<Eigen::RowVectorXf> gradient) {
    for (int64_t k = 0; k < linear_.in_features; ++k) {
      const auto at = static_cast<size_t>(row * linear_.in_features + k);
      const float scale = HalfToFloat(linear_.scales[at / static_cast<size_t>(linear_.group_size)]);
      uint8_t& code = linear_.codes[at];
      const float best = static_cast<float>(code) + gradient[k] / (moment_(k, k) * scale);
      const int next = quant::ToCode(std::round(best), linear_.bits);
      if (next == code) continue;
      const float step = scale * static_cast<float>(next - code);
      code = static_cast<uint8_t>(next);
      errors_(row, k) -= step;
      gradient -= step * moment_.row(k);
    }
  }

  const Matrix moment_;
  const MatrixD* output_moment_;
  quant::QuantizedLinear& linear_;
  Matrix errors_;  // [N, K]
};

}  // namespace

void DescendCodes(const Matrix& channels, const MatrixD& moment, const MatrixD* output_moment,
                  int passes, quant::QuantizedLinear& linear) {
  Descent descent(channels, moment, output_moment, linear);
  for (int pass = 0; pass < passes; ++pass) descent.Pass();
}

}  // namespace paroquant::method
