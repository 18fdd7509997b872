// Cholesky factors of large matrices, in parallel.
#ifndef PAROQUANT_METHOD_POSITIVE_DEFINITE_H_
#define PAROQUANT_METHOD_POSITIVE_DEFINITE_H_

#include "paroquant/base/matrix.h"

namespace paroquant::method {

// In place of a symmetric positive definite matrix, of which the lower triangle is read: its lower
// Cholesky factor L, with A = L L^T. The upper triangle is not touched.
void FactorLower(MatrixD& matrix);

// rows = rows (L L^T)^-1, rows [n, K].
void SolveRows(const MatrixD& lower, MatrixD& rows);

}  // namespace paroquant::method

#endif  // PAROQUANT_METHOD_POSITIVE_DEFINITE_H_
