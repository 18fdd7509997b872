// Cholesky factors of large matrices, in parallel.
#ifndef PAROQUANT_LINALG_POSITIVE_DEFINITE_H_
#define PAROQUANT_LINALG_POSITIVE_DEFINITE_H_

#include "paroquant/base/matrix.h"

namespace paroquant::linalg {

// In place of a symmetric positive definite matrix, of which the lower triangle is read: its lower
// Cholesky factor L, with A = L L^T. What is above the diagonal is undefined afterwards.
void FactorLower(MatrixD& matrix);

// rows = rows (L L^T)^-1, rows [n, K].
void SolveRows(const MatrixD& lower, MatrixD& rows);

}  // namespace paroquant::linalg

#endif  // PAROQUANT_LINALG_POSITIVE_DEFINITE_H_
