// Work on the rows of a matrix, spread over threads.
#ifndef PAROQUANT_NN_ROW_SLICES_H_
#define PAROQUANT_NN_ROW_SLICES_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "paroquant/base/matrix.h"
#include "paroquant/base/parallel.h"
#include "paroquant/nn/norm.h"

namespace paroquant::nn {

// Calls body(first, count) for slices of `rows` rows.
template <typename Body>
void ForEachRowSlice(int64_t rows, const Body& body) {
  constexpr int64_t kRowsPerTask = 64;
  ParallelFor((rows + kRowsPerTask - 1) / kRowsPerTask, [&](int64_t task) {
    const int64_t first = task * kRowsPerTask;
    body(first, std::min(kRowsPerTask, rows - first));
  });
}

Matrix Normalize(const RmsNorm& norm, ConstMatrixRef input);
void Add(ConstMatrixRef term, MatrixRef sum);

// Rows rows[0], rows[1], ... of `input`, and back: row i of `terms` is added to row rows[i] of
// `sum`.
Matrix GatherRows(ConstMatrixRef input, const std::vector<int64_t>& rows);
void ScatterAddRows(ConstMatrixRef terms, const std::vector<int64_t>& rows, MatrixRef sum);
// Multiplies row i by factors[i].
void ScaleRows(const std::vector<float>& factors, MatrixRef rows);

}  // namespace paroquant::nn

#endif  // PAROQUANT_NN_ROW_SLICES_H_
