#include "nn/gated_mlp.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/quant/fixtures.h"

namespace paroquant::nn {
namespace {

using model::Activation;
using quant::testing::RandomMatrix;

double ByDefinition(Activation activation, double x) {
  if (activation == Activation::kSilu) return x / (1 + std::exp(-x));
  return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
}

double Slope(Activation activation, double x) {
  constexpr double kStep = 1e-6;
  return (ByDefinition(activation, x + kStep) - ByDefinition(activation, x - kStep)) / (2 * kStep);
}

class GatedMlpTest : public ::testing::TestWithParam<Activation> {};

INSTANTIATE_TEST_SUITE_P(Activations, GatedMlpTest,
                         ::testing::Values(Activation::kSilu, Activation::kGeluTanh));

TEST_P(GatedMlpTest, ForwardAndBackwardAreThoseOfTheDefinition) {
  Matrix gate = 4 * RandomMatrix(70, 9, 1);
  gate(0, 0) = -40.0F;  // where exponentials overflow or vanish
  gate(0, 1) = 40.0F;
  gate(0, 2) = 0.0F;
  const Matrix up = RandomMatrix(70, 9, 2);
  const Matrix direction = RandomMatrix(70, 9, 3);
  const Matrix product = GatedProduct(GetParam(), gate, up);
  Matrix at_gate = direction;
  Matrix at_up;
  GatedProductBackward(GetParam(), gate, up, at_gate, at_up);
  for (Eigen::Index i = 0; i < gate.size(); ++i) {
    const double g = gate.data()[i];
    const double u = up.data()[i];
    const double d = direction.data()[i];
    const double tolerance = 1e-5 * (1 + std::abs(g));
    EXPECT_NEAR(product.data()[i], ByDefinition(GetParam(), g) * u, tolerance);
    EXPECT_NEAR(at_up.data()[i], ByDefinition(GetParam(), g) * d, tolerance);
    EXPECT_NEAR(at_gate.data()[i], Slope(GetParam(), g) * u * d, tolerance);
  }
}

}  // namespace
}  // namespace paroquant::nn
