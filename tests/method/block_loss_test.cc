#include "paroquant/method/block_loss.h"

#include <gtest/gtest.h>

#include "paroquant/base/rng.h"
#include "tests/testing/gradient_check.h"

namespace paroquant::method {
namespace {

using paroquant::testing::CentralDifferences;
using paroquant::testing::GradientError;

Matrix Random(int64_t rows, int64_t cols, uint64_t seed) {
  Rng rng(seed);
  return Matrix::NullaryExpr(rows, cols, [&] { return static_cast<float>(rng.Normal()); });
}

void ExpectExactGradient(const BlockLoss& loss) {
  const Matrix output = Random(5, 7, 1);
  const Matrix target = Random(5, 7, 2);
  Matrix gradient = output;
  const double value = loss.Backward(target, gradient);
  EXPECT_GT(value, 0);
  gradient /= static_cast<float>(output.size());
  const Matrix expected = CentralDifferences<float>(
      [&](const Matrix& at) { return loss.Value(at, target); }, output, 1e-2);
  EXPECT_LT(GradientError(gradient, expected), 5e-3);  // steps cross a kink
}

TEST(BlockLossTest, SmoothL1IsQuadraticAndThenLinear) {
  Matrix output(1, 3);
  output << 0.5F, -3.0F, 1.0F;
  const Matrix target = Matrix::Zero(1, 3);
  EXPECT_NEAR(BlockLoss().Value(output, target), (0.125 + 2.5 + 0.5) / 3, 1e-6);
}

TEST(BlockLossTest, CurvatureWeighsChannelsAndTheirProducts) {
  MatrixD curvature(2, 2);
  curvature << 4, 1, 1, 3;
  Matrix output(2, 2);
  output << 1, 2, 0, -1;
  // Tokens: (4 + 2 * 2 + 12) / 2 and 3 / 2, over four entries.
  EXPECT_NEAR(BlockLoss(curvature).Value(output, Matrix::Zero(2, 2)), (10 + 1.5) / 4, 1e-6);
}

TEST(BlockLossTest, GradientsEqualFiniteDifferences) {
  ExpectExactGradient(BlockLoss());
  const MatrixD factor = Random(7, 7, 3).cast<double>();
  ExpectExactGradient(BlockLoss(factor * factor.transpose()));
}

}  // namespace
}  // namespace paroquant::method
