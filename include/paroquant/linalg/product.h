// Products of whole matrices, threaded. How a product is cut depends on its shape alone, and each
// element is summed in the order of k, so results don't depend on the number of threads.
#ifndef PAROQUANT_LINALG_PRODUCT_H_
#define PAROQUANT_LINALG_PRODUCT_H_

#include <cstdint>
#include <functional>
#include <span>

#include "paroquant/base/matrix.h"

namespace paroquant::linalg {

// A part of the right-hand side [K, N]: rows [k, k + depth), columns [column, column + columns).
struct Panel {
  int64_t k = 0;
  int64_t depth = 0;
  int64_t column = 0;
  int64_t columns = 0;
};

// Panels start at multiples of these and are at most as large.
inline constexpr int64_t kPanelDepth = 256;
inline constexpr int64_t kPanelColumns = 128;

// Writes a panel as strips (see src/kernels/kernels.h; packers are for the library itself), decoded
// to float32 from however it is stored. Is called from several threads.
using PanelPacker = std::function<void(const Panel& panel, float* strips)>;

// c [M, N] = a [M, K] B + bias (N entries, or none); c shares no memory with a or B. May be called
// from inside a ParallelFor, and then stays on its thread.
void Multiply(const ConstMatrixRef& a, const PanelPacker& pack_b, std::span<const float> bias,
              MatrixRef c);

// c [M, N] = a [M, K] b [K, N].
void Multiply(const ConstMatrixRef& a, const ConstMatrixRef& b, MatrixRef c);
// c [M, N] = a [M, K] b^T, b [N, K].
void MultiplyTransposed(const ConstMatrixRef& a, const ConstMatrixRef& b, MatrixRef c);

// sum [M, N] += x^T y for x [T, M] and y [T, N]: up to 512 tokens in single precision, their sums
// in double.
void AddCrossProduct(const ConstMatrixRef& x, const ConstMatrixRef& y, MatrixD& sum);
// sum [M, M] += x^T x, only on and below the diagonal; what lies above is not defined.
void AddGram(const ConstMatrixRef& x, MatrixD& sum);

}  // namespace paroquant::linalg

#endif  // PAROQUANT_LINALG_PRODUCT_H_
