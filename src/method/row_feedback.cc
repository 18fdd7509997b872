#include "method/row_feedback.h"

#include <algorithm>
#include <cassert>
#include <numeric>
#include <vector>

#include "method/error_feedback.h"
#include "paroquant/base/half.h"
#include "paroquant/linalg/product.h"

namespace paroquant::method {
namespace {

constexpr int64_t kRowsPerBlock = 32;

int64_t BlockRows(int64_t rows) {
  int64_t block = kRowsPerBlock;
  while (rows % block != 0) block /= 2;
  return block;
}

std::vector<int64_t> ByFallingDiagonal(const MatrixD& moment) {
  std::vector<int64_t> order(static_cast<size_t>(moment.rows()));
  std::iota(order.begin(), order.end(), int64_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t a, int64_t b) { return moment(a, a) > moment(b, b); });
  return order;
}

// Rounds the layer's rows block by block; row number i of all its matrices is order[i] of the
// layer.
class RowRounder {
 public:
  RowRounder(const Matrix& channels, const MatrixD& output_moment, const RowsRounder& round,
             quant::QuantizedLinear& linear)
      : channels_(channels),
        round_(round),
        linear_(linear),
        order_(ByFallingDiagonal(output_moment)),
        size_(BlockRows(channels.cols())),
        rows_(FactorMoment(output_moment(order_, order_), static_cast<int>(size_))),
        block_(linear),
        errors_(channels.rows(), channels.cols()) {
    const auto groups = static_cast<size_t>(channels.rows() / linear.group_size);
    block_.out_features = size_;
    block_.codes.resize(static_cast<size_t>(size_ * channels.rows()));
    block_.scales.resize(static_cast<size_t>(size_) * groups);
    block_.zeros.resize(static_cast<size_t>(size_) * groups);
    // Sorted by falling diagonal, the rows are in the order of rounding already.
    assert(std::is_sorted(rows_.order.begin(), rows_.order.end()));
  }

  void Run() {
    for (int64_t base = 0; base < channels_.cols(); base += size_) RoundBlock(base);
  }

 private:
  void RoundBlock(int64_t base) {
    Matrix wanted(channels_.rows(), size_);
    for (int64_t i = 0; i < size_; ++i) wanted.col(i) = channels_.col(Row(base + i));
    Matrix compensated = wanted;
    if (base > 0) {
      Matrix correction(wanted.rows(), size_);
      linalg::Multiply(errors_.leftCols(base), rows_.panels[static_cast<size_t>(base / size_)],
                       correction);
      compensated += correction;
    }
    round_(compensated, block_);
    for (int64_t i = 0; i < size_; ++i) TakeRow(i, base, wanted);
  }

  // Copies row i of the block to the layer and remembers what it fails to give of `wanted`.
  void TakeRow(int64_t i, int64_t base, const Matrix& wanted) {
    const int64_t channels = linear_.in_features;
    const int64_t groups = channels / linear_.group_size;
    const int64_t row = Row(base + i);
    std::copy_n(block_.codes.begin() + i * channels, channels,
                linear_.codes.begin() + row * channels);
    std::copy_n(block_.scales.begin() + i * groups, groups, linear_.scales.begin() + row * groups);
    std::copy_n(block_.zeros.begin() + i * groups, groups, linear_.zeros.begin() + row * groups);
    for (int64_t k = 0; k < channels; ++k) {
      const auto grid = static_cast<size_t>(i * groups + k / linear_.group_size);
      const int steps = block_.codes[static_cast<size_t>(i * channels + k)] - block_.zeros[grid];
      errors_(k, base + i) =
          wanted(k, i) - static_cast<float>(steps) * HalfToFloat(block_.scales[grid]);
    }
  }

  int64_t Row(int64_t number) const { return order_[static_cast<size_t>(number)]; }

  const Matrix& channels_;
  const RowsRounder& round_;
  quant::QuantizedLinear& linear_;
  std::vector<int64_t> order_;
  int64_t size_;
  ErrorFeedback rows_;
  quant::QuantizedLinear block_;  // as it is rounded
  Matrix errors_;                 // [K, N]: W - W_hat of the rows that are done
};

}  // namespace

void RoundWithRowFeedback(const Matrix& channels, const MatrixD& output_moment,
                          const RowsRounder& round, quant::QuantizedLinear& linear) {
  assert(output_moment.rows() == channels.cols());
  RowRounder(channels, output_moment, round, linear).Run();
}

}  // namespace paroquant::method
