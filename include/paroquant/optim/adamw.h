// AdamW (arXiv 1711.05101): Adam with weight decay that does not pass through the moments.
#ifndef PAROQUANT_OPTIM_ADAMW_H_
#define PAROQUANT_OPTIM_ADAMW_H_

#include <cstdint>
#include <span>
#include <vector>

namespace paroquant::optim {

struct AdamWOptions {
  double beta1 = 0.9;
  double beta2 = 0.95;
  double epsilon = 1e-10;
  double weight_decay = 0.01;  // per step, in units of the learning rate
};

// What is remembered of one parameter's gradients; empty before the first step.
struct AdamWState {
  int64_t steps = 0;
  std::vector<float> mean;    // of the gradient
  std::vector<float> square;  // of its square
};

// One step on `parameters`, with the gradient at where they stand, both of one size:
//   m = beta1 m + (1 - beta1) g,  v = beta2 v + (1 - beta2) g^2,
//   p = p (1 - rate decay) - rate (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon).
// Threaded; elements do not depend on each other.
void AdamWStep(const AdamWOptions& options, double rate, std::span<const float> gradient,
               AdamWState& state, std::span<float> parameters);

}  // namespace paroquant::optim

#endif  // PAROQUANT_OPTIM_ADAMW_H_
