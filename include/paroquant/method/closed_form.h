// The method without a training loop: scale the columns, rotate pairs of channels by closed-form
// angles, then round with error feedback in that basis.
#ifndef PAROQUANT_METHOD_CLOSED_FORM_H_
#define PAROQUANT_METHOD_CLOSED_FORM_H_

#include "paroquant/method/linear_problem.h"
#include "paroquant/quant/quantized_linear.h"

namespace paroquant::method {

struct ClosedFormOptions {
  int bits = 4;           // 2, 3, 4 or 8
  int group_size = 128;   // even, divides K
  int rotations = 8;      // rounds of rotations; 0: none
  double damping = 0.01;  // > 0, added to H in units of its mean diagonal
};

// Problem(result) == "" for any finite target and statistics, degenerate ones included. Throws
// kInput for a target that is not finite.
quant::QuantizedLinear QuantizeClosedForm(const LinearProblem& problem,
                                          const ClosedFormOptions& options);

}  // namespace paroquant::method

#endif  // PAROQUANT_METHOD_CLOSED_FORM_H_
