#include "nn/row_slices.h"

namespace paroquant::nn {

Matrix Normalize(const RmsNorm& norm, ConstMatrixRef input) {
  Matrix output(input.rows(), input.cols());
  ForEachRowSlice(input.rows(), [&](int64_t first, int64_t count) {
    norm.Forward(input.middleRows(first, count), output.middleRows(first, count));
  });
  return output;
}

void Add(ConstMatrixRef term, MatrixRef sum) {
  ForEachRowSlice(sum.rows(), [&](int64_t first, int64_t count) {
    sum.middleRows(first, count) += term.middleRows(first, count);
  });
}

Matrix GatherRows(ConstMatrixRef input, const std::vector<int64_t>& rows) {
  Matrix gathered(std::ssize(rows), input.cols());
  for (size_t i = 0; i < rows.size(); ++i) {
    gathered.row(static_cast<Eigen::Index>(i)) = input.row(rows[i]);
  }
  return gathered;
}

void ScatterAddRows(ConstMatrixRef terms, const std::vector<int64_t>& rows, MatrixRef sum) {
  for (size_t i = 0; i < rows.size(); ++i) {
    sum.row(rows[i]) += terms.row(static_cast<Eigen::Index>(i));
  }
}

void ScaleRows(const std::vector<float>& factors, MatrixRef rows) {
  for (size_t i = 0; i < factors.size(); ++i) rows.row(static_cast<Eigen::Index>(i)) *= factors[i];
}

}  // namespace paroquant::nn
