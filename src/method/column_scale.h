// The scale of each column of a weight before it is rotated and quantized.
#ifndef PAROQUANT_METHOD_COLUMN_SCALE_H_
#define PAROQUANT_METHOD_COLUMN_SCALE_H_

#include <cstdint>
#include <vector>

#include "paroquant/base/matrix.h"
#include "paroquant/method/linear_problem.h"
#include "paroquant/quant/affine.h"

namespace paroquant::method {

// s_j = 1 / |W_:j| with geometric mean 1 in each group, between e^-5 and e^5; returned as stored:
// halves of 1 / s_j, [K]. Columns of zeros get 1 and count for nothing.
//
// Why the inputs play no part: with error feedback inside a group of n channels and a rotation that
// mixes them, the loss is about sum_j s_j^2 |W_:j|^2 * n (prod_j d_j / s_j^2)^(1/n), where the
// product of the d_j is no matter of basis; this s minimises it. It also takes outlier channels
// that were moved between a norm and the columns exactly back.
std::vector<uint16_t> InverseNormChannelScales(const ConstMatrixRef& weight, int group_size);

// Activation-aware scales (AWQ, arXiv 2306.00978): s_j = a_j^r / m_j^(1 - r), a_j the root mean
// square of input j, m_j the mean over rows of |W_ij| in units of the greatest weight of its group,
// with the r of 0, 0.05 .. 0.95 for which rounding to nearest on min-max grids loses least of the
// layer's output; no scales if none does better. Normalised, bounded and stored as above.
std::vector<uint16_t> ActivationAwareChannelScales(const LinearProblem& problem, int bits,
                                                   int group_size,
                                                   quant::ZeroPoint zero = quant::ZeroPoint::kFree);

}  // namespace paroquant::method

#endif  // PAROQUANT_METHOD_COLUMN_SCALE_H_
