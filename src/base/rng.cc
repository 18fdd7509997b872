#include "paroquant/base/rng.h"

#include <cmath>
#include <numbers>

namespace paroquant {

double Rng::Normal() {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - Uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * Uniform());
}

}  // namespace paroquant
