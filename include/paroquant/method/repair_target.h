// The weights to imitate so that layers also make up for the errors of the layers before them.
#ifndef PAROQUANT_METHOD_REPAIR_TARGET_H_
#define PAROQUANT_METHOD_REPAIR_TARGET_H_

#include <span>
#include <vector>

#include "paroquant/base/matrix.h"
#include "paroquant/method/recipe.h"
#include "paroquant/method/stage_moments.h"

namespace paroquant::method {

// At most this many rows of a weight decide on the factor of its correction: thousands more would
// tell the same.
inline constexpr Eigen::Index kFactorRows = 512;

struct RepairedTarget {
  Matrix weight;        // [N, K]
  double factor = 0.0;  // of the correction, in [0, 1]
};

// The targets of a stage's linears, whose weights are [N, K] each.
//
// With H = E[x x^T] and the numerator
//   N = W E[(x_f - x) x^T] + E[(r_f - r) x^T]
// the weight that brings the outputs nearest to the 16-bit model's is W + N (H + lambda)^-1, lambda
// a diagonal: lambda_j = `damping` mean_i(H_ii n_i^2) / n_j^2 with n_j the norm of column j over
// the stage's weights, which is `damping` times the mean diagonal once the inputs are scaled by n_j
// and so sees no outlier channels. That also fits noise: each repair adds about K / T of the errors
// it is to undo, T the number of tokens. So the correction is shrunk by what it is worth on tokens
// it was not fitted to: with N_i and H_i of one half of the tokens and M_i = N_i (H_i + lambda)^-1,
//   factor = (<M_1, N_2> + <M_2, N_1>) / (tr(M_1 H_2 M_1^T) + tr(M_2 H_1 M_2^T)), within [0, 1],
// which is the one that lowers the losses of both halves most, each with the other's correction; of
// a weight with more than kFactorRows rows, over at most so many evenly spaced ones.
//
// `choice` kStreamFull takes the correction as it is. Without tokens in both halves, or with inputs
// that are all 0, the targets are the weights. With RepairForm::kOutputs there is one weight, the
// one whose outputs the moments are of.
//
// Joins the inputs of `moments` when the halves are not needed any more: not to be called again.
std::vector<RepairedTarget> RepairTargets(StageMoments& moments, std::span<const Matrix> weights,
                                          TargetChoice choice, double damping);

}  // namespace paroquant::method

#endif  // PAROQUANT_METHOD_REPAIR_TARGET_H_
