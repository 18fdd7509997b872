#include "paroquant/method/linear_problem.h"

#include "paroquant/base/error.h"

namespace paroquant::method {

void CheckFinite(const LinearProblem& problem) {
  if (problem.target.allFinite()) return;
  throw Error(ErrorKind::kInput, {.where = problem.name,
                                  .expected = "finite weights",
                                  .found = "an infinity or no number",
                                  .hint = "The model is damaged; fetch it again."});
}

}  // namespace paroquant::method
