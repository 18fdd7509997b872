#include "method/pairwise_rotation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "paroquant/base/half.h"
#include "paroquant/base/parallel.h"
#include "paroquant/quant/rotation.h"
#include "tests/method/fixtures.h"
#include "tests/quant/fixtures.h"

namespace paroquant::method {
namespace {

using quant::testing::RandomMatrix;

// sum w_i'^4 + w_j'^4 over the rows of [N, 2] after the file's rotation by theta.
double FourthPowers(const MatrixD& weights, double theta) {
  MatrixD rotation(2, 2);
  rotation << std::cos(theta), -std::sin(theta), std::sin(theta), std::cos(theta);
  return (weights * rotation).array().pow(4).sum();
}

PairMoments MomentsOf(const MatrixD& weights) {
  const Eigen::ArrayXd u = weights.col(0).array().square() - weights.col(1).array().square();
  const Eigen::ArrayXd v = 2 * weights.col(0).array() * weights.col(1).array();
  return {.uu = u.square().sum(), .vv = v.square().sum(), .uv = (u * v).sum()};
}

TEST(PairMomentsTest, AngleIsTheBestOfAFineGrid) {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    MatrixD weights = RandomMatrix(20, 2, seed).cast<double>();
    weights.col(1) = weights.col(1) * (0.1 * static_cast<double>(seed)) + weights.col(0) / 3;
    const double claimed = FourthPowers(weights, MomentsOf(weights).BestAngle());
    for (int i = 0; i < 2000; ++i) {
      EXPECT_LE(claimed, FourthPowers(weights, std::numbers::pi * i / 2000) * (1 + 1e-12));
    }
  }
}

TEST(PairMomentsTest, GainIsTheDecreaseOfTheFourthPowers) {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    const MatrixD weights = RandomMatrix(20, 2, seed).cast<double>();
    const PairMoments moments = MomentsOf(weights);
    const double before = FourthPowers(weights, 0);
    const double decrease = before - FourthPowers(weights, moments.BestAngle());
    EXPECT_GE(moments.Gain(), 0);
    EXPECT_NEAR(moments.Gain(), decrease, 1e-12 * before);
  }
}

TEST(PairMomentsTest, EqualOrEmptyChannelsGiveNumbers) {
  for (const MatrixD& weights : {MatrixD::Zero(4, 2).eval(), MatrixD::Ones(4, 2).eval()}) {
    EXPECT_TRUE(std::isfinite(MomentsOf(weights).BestAngle()));
    EXPECT_GE(MomentsOf(weights).Gain(), 0);
  }
}

// What the search lowers: sum w^4 with each row's share of a group divided by the root of its norm.
double Objective(const Matrix& channels, int group_size) {
  double sum = 0;
  for (int64_t base = 0; base < channels.rows(); base += group_size) {
    for (int64_t row = 0; row < channels.cols(); ++row) {
      const VectorD weights = channels.col(row).segment(base, group_size).cast<double>();
      sum += weights.array().pow(4).sum() / weights.squaredNorm();
    }
  }
  return sum;
}

Matrix Rotated(const Matrix& channels, const quant::Rotation& rotation) {
  Matrix result(channels.rows(), channels.cols());
  quant::PreparedRotation<float>(rotation).RotateChannels(channels, nullptr, result);
  return result;
}

TEST(FindRotationTest, EveryRoundLowersTheFourthPowers) {
  const Matrix channels = testing::WeightWithOutliers(600, 128, 1).transpose();
  double before = Objective(channels, 64);
  for (int rounds = 1; rounds <= 8; ++rounds) {
    const quant::Rotation rotation = FindRotation(channels, 64, rounds);
    const double after = Objective(Rotated(channels, rotation), 64);
    EXPECT_LT(after, before) << rounds;
    before = after;
  }
}

TEST(FindRotationTest, FirstRoundTakesTheBestPairFirst) {
  const Matrix channels = testing::WeightWithOutliers(100, 32, 1).transpose();
  const auto found = FindGroupRotation(channels, 1);
  MatrixD rows = channels.transpose().cast<double>();
  for (int64_t row = 0; row < rows.rows(); ++row) rows.row(row) /= std::sqrt(rows.row(row).norm());
  const auto gain = [&](int64_t i, int64_t j) {
    MatrixD pair(rows.rows(), 2);
    pair << rows.col(i), rows.col(j);
    return MomentsOf(pair).Gain();
  };
  double best = 0;
  for (int64_t i = 0; i < 32; ++i) {
    for (int64_t j = i + 1; j < 32; ++j) best = std::max(best, gain(i, j));
  }
  EXPECT_NEAR(gain(found.pairs[0], found.pairs[1]), best, 1e-5 * best);
}

TEST(FindRotationTest, IsAValidRotationForAnyWeights) {
  std::vector<Matrix> cases = {Matrix::Zero(64, 10), Matrix::Ones(64, 10),
                               testing::WeightWithOutliers(10, 64, 1).transpose(),
                               Matrix::Constant(64, 1, 1e-30F), Matrix::Constant(64, 1, 1e30F)};
  cases[2](5, 3) = 1e30F;
  for (const Matrix& channels : cases) {
    quant::QuantizedLinear linear = quant::testing::RandomQuantizedLinear(3, 64, 4, 32, 1);
    linear.rotation = FindRotation(channels, 32, 3);
    EXPECT_EQ(Problem(linear), "");
  }
}

TEST(FindRotationTest, ThreadCountChangesNothing) {
  const Matrix channels = testing::WeightWithOutliers(50, 256, 1).transpose();
  SetThreadCount(1);
  const quant::Rotation one = FindRotation(channels, 64, 4);
  SetThreadCount(5);
  const quant::Rotation five = FindRotation(channels, 64, 4);
  SetThreadCount(AvailableCores());
  EXPECT_EQ(one.pairs, five.pairs);
  EXPECT_EQ(one.theta, five.theta);
}

}  // namespace
}  // namespace paroquant::method
