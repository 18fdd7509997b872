// How the rounding errors of some channels are best made up for by the channels that follow.
#ifndef PAROQUANT_METHOD_ERROR_FEEDBACK_H_
#define PAROQUANT_METHOD_ERROR_FEEDBACK_H_

#include <cstdint>
#include <vector>

#include "paroquant/base/matrix.h"

namespace paroquant::method {

// Channels in the order in which they are rounded: whole groups by falling mean diagonal of the
// moment H, the channels of each by falling diagonal.
std::vector<int64_t> RoundingOrder(const MatrixD& moment, int group_size);

// The factorisation of H, taken in the order of rounding, into U D U^T. U is unit upper triangular
// by blocks of a group, D block-diagonal; each block of D is u diag(importance) u^T with u unit
// upper triangular. For an error E = W - W_hat the loss tr(E H E^T) is then a sum over groups b,
//   tr(F_b D_b F_b^T),  F_b = E_b + sum_{a < b} E_a U_ab,
// and inside a group over channels j, importance_j * |f_j + sum_{i < j} f_i u_ij|^2. Rounding
// W_b + sum_a E_a U_ab instead of W_b therefore makes up for all that went before. This equals
// GPTQ (arXiv 2210.17323), whose Cholesky factor of H^-1 is diag(importance)^-1/2 times the inverse
// of the scalar U; factoring H itself spares the inversion.
struct ErrorFeedback {
  int group_size;
  std::vector<int64_t> order;  // [K]: order[k] is the channel that is rounded as number k
  std::vector<Matrix> panels;  // of group b: U_ab for all a < b, [b * g, g]
  std::vector<Matrix> inner;   // of group b: u, [g, g]
  Vector importance;           // [K] in the order of rounding, > 0
};

// `moment` is symmetric and positive semidefinite up to rounding, [K, K]. The result is finite.
ErrorFeedback FactorMoment(const MatrixD& moment, int group_size);

}  // namespace paroquant::method

#endif  // PAROQUANT_METHOD_ERROR_FEEDBACK_H_
