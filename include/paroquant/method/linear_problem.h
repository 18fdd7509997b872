// The question a method answers: which QuantizedLinear imitates this weight best on these inputs?
#ifndef PAROQUANT_METHOD_LINEAR_PROBLEM_H_
#define PAROQUANT_METHOD_LINEAR_PROBLEM_H_

#include <string>

#include "paroquant/base/matrix.h"
#include "paroquant/method/input_statistics.h"

namespace paroquant::method {

struct LinearProblem {
  std::string name;       // the module, for errors
  ConstMatrixRef target;  // the weight to imitate, [N, K]: the layer's own, or one that also makes
                          // up for errors of the layers before
  // Of the K inputs; may be null for methods that use none.
  const InputStatistics* statistics = nullptr;
  // The second moment of the loss's gradients at the N outputs, [N, N], damped so that it is
  // positive definite: rounding with feedback then has rows make up for each other. May be null.
  const MatrixD* output_moment = nullptr;
  // Of tokens that nothing is fitted to, to choose by. May be null.
  const InputStatistics* held_out = nullptr;
};

// Throws kInput, naming the layer, if the target holds an infinity or no number.
void CheckFinite(const LinearProblem& problem);

}  // namespace paroquant::method

#endif  // PAROQUANT_METHOD_LINEAR_PROBLEM_H_
