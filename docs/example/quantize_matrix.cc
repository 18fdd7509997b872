// Quantizes one weight to 4 bits, and compares what its output loses with rounding to nearest.
#include <fmt/core.h>

#include "paroquant/base/matrix.h"
#include "paroquant/base/rng.h"
#include "paroquant/method/output_error.h"
#include "paroquant/method/quantize_linear.h"
#include "paroquant/method/recipe.h"
#include "paroquant/quant/dequantize.h"

using paroquant::Matrix;

int main() {
  paroquant::Rng rng(1);
  const auto normal = [&] { return static_cast<float>(rng.Normal()); };
  Matrix weight = Matrix::NullaryExpr(256, 512, normal);   // [out features, in features]
  Matrix inputs = Matrix::NullaryExpr(2048, 512, normal);  // [tokens, in features]
  for (int channel = 5; channel < 512; channel += 40) {    // some channels are outliers
    inputs.col(channel) *= 16;
    weight.col(channel) *= 4;
  }

  paroquant::method::InputStatistics statistics("inputs", weight.cols());
  statistics.Add(inputs);
  const paroquant::method::LinearProblem problem{"layer", weight, &statistics};
  double errors[2];
  for (int i = 0; i < 2; ++i) {
    const auto recipe = paroquant::method::LoadRecipe(i == 0 ? "rtn" : "fast");
    const auto linear = paroquant::method::QuantizeLinear(problem, recipe.layer, {.bits = 4});
    errors[i] = paroquant::method::RelativeOutputError(weight, linear, statistics);
    fmt::print("{}: relative output error {:.5f}\n", recipe.name, errors[i]);
    if (!paroquant::quant::EffectiveWeight(linear).allFinite()) return 1;
  }
  return errors[1] < errors[0] ? 0 : 1;
}
