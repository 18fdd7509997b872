// Rounding without feedback in any basis.
#ifndef PAROQUANT_METHOD_ROUND_TO_NEAREST_H_
#define PAROQUANT_METHOD_ROUND_TO_NEAREST_H_

#include "method/basis.h"
#include "paroquant/method/linear_problem.h"
#include "paroquant/method/recipe.h"
#include "paroquant/quant/quantized_linear.h"

namespace paroquant::method {

// The problem's target in the given basis, each weight at the nearest value of its grid. Searched
// and clipped grids need the problem's statistics.
quant::QuantizedLinear RoundToNearest(const LinearProblem& problem, Basis basis, int bits,
                                      GridRule grid);

}  // namespace paroquant::method

#endif  // PAROQUANT_METHOD_ROUND_TO_NEAREST_H_
