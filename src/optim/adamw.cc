#include "paroquant/optim/adamw.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "paroquant/base/matrix.h"
#include "paroquant/base/parallel.h"

namespace paroquant::optim {
namespace {

constexpr int64_t kElementsPerTask = 1 << 14;

// Whole vectors of a fixed size, the last one padded: wherever the data lies, each element goes
// through the same instructions. Eigen would treat the ends of a range apart, by its address.
constexpr int64_t kLanes = 16;
using Lanes = Eigen::Array<float, kLanes, 1>;

struct Step {
  float beta1, beta2, keep, rate, bias, epsilon;

  void Apply(const Lanes& g, Lanes& m, Lanes& v, Lanes& p) const {
    m = beta1 * m + (1 - beta1) * g;
    v = beta2 * v + (1 - beta2) * g.square();
    p = keep * p - rate * m / (bias * v.sqrt() + epsilon);
  }
};

// Loads and stores `count` elements.
Lanes Load(const float* source, int64_t count) {
  Lanes lanes = Lanes::Zero();
  std::copy_n(source, count, lanes.data());
  return lanes;
}

void Store(const Lanes& lanes, int64_t count, float* target) {
  std::copy_n(lanes.data(), count, target);
}

}  // namespace

void AdamWStep(const AdamWOptions& options, double rate, std::span<const float> gradient,
               AdamWState& state, std::span<float> parameters) {
  assert(gradient.size() == parameters.size());
  if (state.steps == 0) {
    state.mean.assign(gradient.size(), 0.0F);
    state.square.assign(gradient.size(), 0.0F);
  }
  assert(state.mean.size() == gradient.size());
  const auto steps = static_cast<double>(++state.steps);
  const Step step{.beta1 = static_cast<float>(options.beta1),
                  .beta2 = static_cast<float>(options.beta2),
                  .keep = static_cast<float>(1 - rate * options.weight_decay),
                  .rate = static_cast<float>(rate / (1 - std::pow(options.beta1, steps))),
                  .bias = static_cast<float>(std::sqrt(1 / (1 - std::pow(options.beta2, steps)))),
                  .epsilon = static_cast<float>(options.epsilon)};
  const auto size = static_cast<int64_t>(gradient.size());
  ParallelFor((size + kElementsPerTask - 1) / kElementsPerTask, [&](int64_t task) {
    const int64_t end = std::min(size, (task + 1) * kElementsPerTask);
    for (int64_t i = task * kElementsPerTask; i < end; i += kLanes) {
      const int64_t count = std::min(kLanes, end - i);
      Lanes m = Load(state.mean.data() + i, count);
      Lanes v = Load(state.square.data() + i, count);
      Lanes p = Load(parameters.data() + i, count);
      step.Apply(Load(gradient.data() + i, count), m, v, p);
      Store(m, count, state.mean.data() + i);
      Store(v, count, state.square.data() + i);
      Store(p, count, parameters.data() + i);
    }
  });
}

}  // namespace paroquant::optim
