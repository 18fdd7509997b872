#include "method/gptq.h"

#include <gtest/gtest.h>

#include <cmath>
#include <span>
#include <vector>

#include "paroquant/base/half.h"
#include "paroquant/method/output_error.h"
#include "paroquant/method/rtn.h"
#include "paroquant/quant/affine.h"
#include "paroquant/quant/dequantize.h"
#include "tests/method/fixtures.h"
#include "tests/quant/fixtures.h"

namespace paroquant::method {
namespace {

MatrixD Permuted(const MatrixD& matrix, const std::vector<int64_t>& order) {
  MatrixD result(matrix.rows(), matrix.cols());
  for (Eigen::Index i = 0; i < matrix.rows(); ++i) {
    for (Eigen::Index j = 0; j < matrix.cols(); ++j) {
      result(i, j) = matrix(order[static_cast<size_t>(i)], order[static_cast<size_t>(j)]);
    }
  }
  return result;
}

TEST(RoundingOrderTest, KeepsGroupsTogetherAndFallsInsideThem) {
  MatrixD moment = MatrixD::Zero(6, 6);
  moment.diagonal() << 1, 3, 5, 4, 2, 2;
  EXPECT_EQ(RoundingOrder(moment, 2), (std::vector<int64_t>{2, 3, 1, 0, 4, 5}));
}

TEST(ErrorFeedbackTest, FactorsMultiplyToTheMoment) {
  constexpr int kSize = 16;
  const MatrixD moment =
      testing::StatisticsOf(testing::CorrelatedInputs(200, 64, 1)).DampedMoment(0.01);
  const ErrorFeedback feedback = FactorMoment(moment, kSize);
  MatrixD upper = MatrixD::Identity(64, 64);
  MatrixD inner = MatrixD::Zero(64, 64);
  for (int64_t group = 0; group < 4; ++group) {
    const auto index = static_cast<size_t>(group);
    const int64_t base = group * kSize;
    upper.block(0, base, base, kSize) = feedback.panels[index].cast<double>();
    inner.block(base, base, kSize, kSize) = feedback.inner[index].cast<double>();
  }
  const MatrixD factor = upper * inner;
  const MatrixD product =
      factor * feedback.importance.cast<double>().asDiagonal() * factor.transpose();
  EXPECT_TRUE(product.isApprox(Permuted(moment, feedback.order), 1e-5));
  EXPECT_TRUE(factor.isUpperTriangular());
  EXPECT_TRUE(factor.diagonal().isOnes(1e-6));
}

TEST(ErrorFeedbackTest, SingularMomentGivesNumbers) {
  const Matrix inputs = testing::CorrelatedInputs(3, 64, 1);
  const ErrorFeedback feedback = FactorMoment(testing::StatisticsOf(inputs).DampedMoment(0), 16);
  EXPECT_TRUE(feedback.importance.allFinite());
  EXPECT_GT(feedback.importance.minCoeff(), 0);
  for (const Matrix& panel : feedback.panels) EXPECT_TRUE(panel.allFinite());
  for (const Matrix& inner : feedback.inner) EXPECT_TRUE(inner.allFinite());
}

quant::QuantizedLinear EmptyLinear(int64_t rows, int64_t channels, int bits, int group_size) {
  quant::QuantizedLinear linear =
      quant::testing::RandomQuantizedLinear(rows, channels, bits, group_size, 1);
  linear.rotation = {};
  std::fill(linear.channel_scales.begin(), linear.channel_scales.end(), FloatToHalf(1));
  std::fill(linear.codes.begin(), linear.codes.end(), uint8_t{0});
  return linear;
}

TEST(RoundWithFeedbackTest, UncorrelatedInputsLeavePlainRoundingOnTheSearchedGrid) {
  constexpr int kSize = 32;
  const Matrix channels = quant::testing::RandomMatrix(64, 70, 1);  // more than one chunk of rows
  MatrixD moment = MatrixD::Zero(64, 64);
  moment.diagonal() = quant::testing::RandomMatrix(64, 1, 2).cast<double>().array().exp();
  quant::QuantizedLinear linear = EmptyLinear(70, 64, 4, kSize);
  RoundWithFeedback(channels, FactorMoment(moment, kSize), {GridChoice::kSearched}, linear);
  for (int64_t group = 0; group < 2; ++group) {
    const Matrix part = channels.middleRows(group * kSize, kSize);
    const Vector importance = moment.diagonal().segment(group * kSize, kSize).cast<float>();
    const quant::RowGrids grids = quant::SearchGrids(part, std::span(importance.data(), kSize), 4);
    for (int64_t row = 0; row < 70; ++row) {
      const quant::Grid grid{grids.scales[row], static_cast<int>(grids.zeros[row])};
      const Vector weights = part.col(row);
      std::vector<uint8_t> codes(kSize);
      quant::QuantizeGroup(std::span(weights.data(), kSize), grid, 4, codes);
      const auto* found = &linear.codes[static_cast<size_t>(row * 64 + group * kSize)];
      EXPECT_EQ(std::vector<uint8_t>(found, found + kSize), codes) << row;
      EXPECT_EQ(linear.zeros[static_cast<size_t>(row * 2 + group)], grid.zero);
    }
  }
}

// GPTQ by the paper, column by column in double: the Cholesky factor of the inverse spreads each
// error over the columns to come. [N, K], dequantized.
MatrixD PlainGptq(MatrixD weight, const MatrixD& moment, int group_size, int bits) {
  const std::vector<int64_t> order = RoundingOrder(moment, group_size);
  const Eigen::Index size = moment.rows();
  const MatrixD inverse = Permuted(moment, order).llt().solve(MatrixD::Identity(size, size));
  const MatrixD factor = inverse.llt().matrixU();
  MatrixD result(weight.rows(), size);
  quant::RowGrids grids;
  for (Eigen::Index k = 0; k < size; ++k) {
    if (k % group_size == 0) {
      Matrix group(group_size, weight.rows());
      Vector importance(group_size);
      for (Eigen::Index i = 0; i < group_size; ++i) {
        group.row(i) = weight.col(order[static_cast<size_t>(k + i)]).transpose().cast<float>();
        importance[i] = static_cast<float>(1 / (factor(k + i, k + i) * factor(k + i, k + i)));
      }
      grids = quant::SearchGrids(
          group, std::span(importance.data(), static_cast<size_t>(group_size)), bits);
    }
    const int64_t channel = order[static_cast<size_t>(k)];
    const auto scales = grids.scales.cast<double>().array();
    const auto zeros = grids.zeros.cast<double>().array();
    const Eigen::ArrayXd codes = ((weight.col(channel).array() / scales).rint() + zeros)
                                     .max(0.0)
                                     .min(static_cast<double>(quant::MaxCode(bits)));
    result.col(channel) = (codes - zeros) * scales;
    const VectorD error = (weight.col(channel) - result.col(channel)) / factor(k, k);
    for (Eigen::Index later = k + 1; later < size; ++later) {
      weight.col(order[static_cast<size_t>(later)]) -= error * factor(k, later);
    }
  }
  return result;
}

TEST(RoundWithFeedbackTest, AgreesWithPlainGptq) {
  constexpr int kSize = 16;
  const Matrix weight = testing::WeightWithOutliers(70, 64, 3);
  const MatrixD moment =
      testing::StatisticsOf(testing::CorrelatedInputs(300, 64, 4)).DampedMoment(0.01);
  for (const int bits : {2, 3, 4, 8}) {
    quant::QuantizedLinear linear = EmptyLinear(70, 64, bits, kSize);
    RoundWithFeedback(weight.transpose(), FactorMoment(moment, kSize), {GridChoice::kSearched},
                      linear);
    const Matrix found = quant::Dequantize(linear);
    const MatrixD expected = PlainGptq(weight.cast<double>(), moment, kSize, bits);
    // A weight on a rounding boundary may fall either way in single precision, and then moves the
    // rest of its row.
    int equal_rows = 0;
    for (Eigen::Index row = 0; row < weight.rows(); ++row) {
      equal_rows += found.row(row).isApprox(expected.row(row).cast<float>(), 1e-6F) ? 1 : 0;
    }
    EXPECT_GE(equal_rows, 67) << bits << " bits";
  }
}

TEST(QuantizeInBasisTest, FeedbackBeatsRoundToNearestOnCorrelatedInputs) {
  const Matrix weight = testing::WeightWithOutliers(96, 256, 1);
  const InputStatistics statistics = testing::StatisticsOf(testing::CorrelatedInputs(1000, 256, 2));
  const LinearProblem problem{"layer", weight, &statistics};
  for (const int bits : {2, 3, 4, 8}) {
    const auto rounded =
        QuantizeInBasis(problem, IdentityBasis(256, 64), bits, 0.01, {GridChoice::kSearched});
    EXPECT_EQ(Problem(rounded), "");
    EXPECT_LT(RelativeOutputError(weight, rounded, statistics),
              0.7 * RelativeOutputError(weight, QuantizeRtn(problem, bits, 64), statistics))
        << bits << " bits";
  }
}

}  // namespace
}  // namespace paroquant::method
