#include "paroquant/nn/norm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/quant/fixtures.h"

namespace paroquant::nn {
namespace {

using quant::testing::RandomMatrix;

// x / sqrt(mean(x^2) + epsilon) * weight on each run of `width` channels, in doubles.
Matrix NormalizedByDefinition(const RmsNorm& norm, const Matrix& input) {
  Matrix output(input.rows(), input.cols());
  const auto width = static_cast<int64_t>(norm.weight.size());
  for (int64_t row = 0; row < input.rows(); ++row) {
    for (int64_t start = 0; start < input.cols(); start += width) {
      double squares = 0;
      for (int64_t i = 0; i < width; ++i) {
        squares += std::pow(static_cast<double>(input(row, start + i)), 2);
      }
      const double root =
          std::sqrt(squares / static_cast<double>(width) + static_cast<double>(norm.epsilon));
      for (int64_t i = 0; i < width; ++i) {
        output(row, start + i) =
            static_cast<float>(input(row, start + i) / root * norm.weight[static_cast<size_t>(i)]);
      }
    }
  }
  return output;
}

RmsNorm RandomNorm(int64_t width, float epsilon) {
  const Matrix weight = RandomMatrix(1, width, 9);
  return {std::vector<float>(weight.data(), weight.data() + width), epsilon};
}

TEST(RmsNormTest, NormalizesWholeRowsAndHeads) {
  for (const int64_t width : {1, 12, 96}) {
    const RmsNorm norm = RandomNorm(width, 1e-5F);
    const Matrix input = 3 * RandomMatrix(7, 96, 1);
    Matrix output(7, 96);
    norm.Forward(input, output);
    EXPECT_TRUE(output.isApprox(NormalizedByDefinition(norm, input), 1e-6F)) << width;
  }
}

TEST(RmsNormTest, HandComputedRow) {
  const RmsNorm norm{{1.0F, 2.0F}, 0.0F};
  Matrix input(1, 2);
  input << 3.0F, 4.0F;  // mean square 12.5
  Matrix output(1, 2);
  norm.Forward(input, output);
  EXPECT_FLOAT_EQ(output(0, 0), 0.84852814F);
  EXPECT_FLOAT_EQ(output(0, 1), 2.2627417F);
}

TEST(RmsNormTest, EpsilonDecidesForSmallRows) {
  const RmsNorm norm = RandomNorm(64, 1e-6F);
  for (const float scale : {0.0F, 1e-20F, 1e-3F}) {
    const Matrix input = scale * RandomMatrix(3, 64, 2);
    Matrix output(3, 64);
    norm.Forward(input, output);
    EXPECT_TRUE(output.isApprox(NormalizedByDefinition(norm, input), 1e-6F)) << scale;
    EXPECT_TRUE(output.allFinite());
  }
}

TEST(RmsNormTest, WorksOnPartsOfAMatrix) {
  const RmsNorm norm = RandomNorm(32, 1e-6F);
  const Matrix wide = RandomMatrix(5, 100, 3);
  Matrix result = wide;
  norm.Forward(wide.middleCols(20, 64), result.middleCols(20, 64));
  EXPECT_TRUE(result.middleCols(20, 64).isApprox(
      NormalizedByDefinition(norm, wide.middleCols(20, 64)), 1e-6F));
  EXPECT_TRUE(result.leftCols(20) == wide.leftCols(20));
  EXPECT_TRUE(result.rightCols(16) == wide.rightCols(16));
}

}  // namespace
}  // namespace paroquant::nn
