// The small layers.
#include <gtest/gtest.h>

#include <functional>

#include "paroquant/nn/norm.h"
#include "paroquant/nn/rope.h"
#include "tests/quant/fixtures.h"
#include "tests/testing/gradient_check.h"

namespace paroquant::nn {
namespace {

using paroquant::testing::CentralDifferences;
using paroquant::testing::GradientError;
using quant::testing::RandomMatrix;

double Inner(const Matrix& a, const Matrix& b) {
  return a.cast<double>().cwiseProduct(b.cast<double>()).sum();
}

TEST(RmsNormBackwardTest, AgreesWithCentralDifferencesHeadByHead) {
  const Matrix weights = RandomMatrix(1, 6, 1);
  const RmsNorm norm{.weight = {weights.data(), weights.data() + 6}, .epsilon = 1e-2F};
  const Matrix input = RandomMatrix(3, 12, 2);
  const Matrix direction = RandomMatrix(3, 12, 3);
  Matrix found = direction;
  norm.Backward(input, found, found);
  const std::function<double(const Matrix&)> loss = [&](const Matrix& x) {
    Matrix output(x.rows(), x.cols());
    norm.Forward(x, output);
    return Inner(output, direction);
  };
  EXPECT_LE(GradientError<float>(found, CentralDifferences<float>(loss, input, 1e-2)), 1e-3);
}

TEST(RopeBackwardTest, TransposedRotationIsTheAdjoint) {
  const RopeTable rope({.theta = 100.0, .attention_factor = 1.3}, 8, 0, 5);
  Matrix x = RandomMatrix(5, 16, 1);
  Matrix y = RandomMatrix(5, 16, 2);
  const Matrix plain_x = x;
  const Matrix plain_y = y;
  rope.Apply(x);
  rope.ApplyTransposed(y);
  EXPECT_NEAR(Inner(x, plain_y), Inner(plain_x, y), 1e-4);
}

}  // namespace
}  // namespace paroquant::nn
