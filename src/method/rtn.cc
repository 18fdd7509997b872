#include "paroquant/method/rtn.h"

#include "method/basis.h"
#include "method/round_to_nearest.h"

namespace paroquant::method {

quant::QuantizedLinear QuantizeRtn(const LinearProblem& problem, int bits, int group_size) {
  CheckFinite(problem);
  return RoundToNearest(problem.target, IdentityBasis(problem.target.cols(), group_size), bits);
}

}  // namespace paroquant::method
