#include "paroquant/optim/schedule.h"

#include <cmath>
#include <numbers>

namespace paroquant::optim {

double CosineRate(double start, double end, int64_t step, int64_t steps) {
  const double part = static_cast<double>(step) / static_cast<double>(steps);
  return end + (start - end) * (1 + std::cos(std::numbers::pi * part)) / 2;
}

}  // namespace paroquant::optim
