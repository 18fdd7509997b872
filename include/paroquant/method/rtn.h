// Round to nearest: the baseline that looks at nothing but the weight.
#ifndef PAROQUANT_METHOD_RTN_H_
#define PAROQUANT_METHOD_RTN_H_

#include "paroquant/method/linear_problem.h"
#include "paroquant/quant/quantized_linear.h"

namespace paroquant::method {

// Min-max grids per row and group, channel scales 1 and `rounds` identities as rotation.
// `group_size` is even and divides K. Throws kInput for a target that is not finite.
quant::QuantizedLinear QuantizeRtn(const LinearProblem& problem, int bits, int group_size,
                                   int rounds = 1);

}  // namespace paroquant::method

#endif  // PAROQUANT_METHOD_RTN_H_
