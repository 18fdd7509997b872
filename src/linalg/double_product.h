// Products in double precision, for the factors of matrices.
#ifndef PAROQUANT_LINALG_DOUBLE_PRODUCT_H_
#define PAROQUANT_LINALG_DOUBLE_PRODUCT_H_

#include <cstdint>

#include "paroquant/base/matrix.h"

namespace paroquant::linalg {

using MatrixDRef = Eigen::Ref<MatrixD, 0, Eigen::OuterStride<>>;
using ConstMatrixDRef = Eigen::Ref<const MatrixD, 0, Eigen::OuterStride<>>;

// The left side of products that are taken from something: what `Subtract` reads again and again.
class Subtrahend {
 public:
  // Packs `a` [M, K], in parallel.
  explicit Subtrahend(const ConstMatrixDRef& a);

  // c -= A' b, A' the c.rows() rows of `a` from `first` on, a multiple of kernels::kTileRows. Each
  // number of c is changed by the same sum however a and c are cut. On the calling thread.
  void Subtract(int64_t first, const ConstMatrixDRef& b, MatrixDRef c) const;            // b [K, N]
  void SubtractTransposed(int64_t first, const ConstMatrixDRef& b, MatrixDRef c) const;  // b [N, K]

 private:
  void SubtractStrips(int64_t first, const double* strips, MatrixDRef& c) const;

  int64_t depth_;
  VectorD slabs_;  // -A, see kernels::Kernels
};

}  // namespace paroquant::linalg

#endif  // PAROQUANT_LINALG_DOUBLE_PRODUCT_H_
