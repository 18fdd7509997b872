// Rounding with error feedback: GPTQ (arXiv 2210.17323) with grids found on the way.
#ifndef PAROQUANT_METHOD_GPTQ_H_
#define PAROQUANT_METHOD_GPTQ_H_

#include "method/basis.h"
#include "method/error_feedback.h"
#include "paroquant/base/matrix.h"
#include "paroquant/method/linear_problem.h"
#include "paroquant/method/recipe.h"
#include "paroquant/quant/quantized_linear.h"

namespace paroquant::method {

// Rounds all rows of a weight given channel by channel, [K, N], into `linear`, whose sizes and bits
// are set. A group's grid is found when its turn comes, on weights that already make up for the
// errors of the groups before, each channel weighing as the feedback says.
void RoundWithFeedback(const Matrix& channels, const ErrorFeedback& feedback, GridRule grid,
                       quant::QuantizedLinear& linear);

// The problem's target in the given basis, rounded with feedback by its statistics, and its codes
// moved `descent_passes` times after that (see code_descent.h).
quant::QuantizedLinear QuantizeInBasis(const LinearProblem& problem, Basis basis, int bits,
                                       double damping, GridRule grid, int descent_passes = 0);

}  // namespace paroquant::method

#endif  // PAROQUANT_METHOD_GPTQ_H_
