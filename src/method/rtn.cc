#include "paroquant/method/rtn.h"

#include "method/basis.h"
#include "method/round_to_nearest.h"

namespace paroquant::method {

quant::QuantizedLinear QuantizeRtn(const LinearProblem& problem, int bits, int group_size,
                                   int rounds) {
  CheckFinite(problem);
  return RoundToNearest(problem, IdentityBasis(problem.target.cols(), group_size, rounds), bits,
                        {.choice = GridChoice::kMinMax});
}

}  // namespace paroquant::method
