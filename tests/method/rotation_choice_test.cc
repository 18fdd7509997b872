#include "method/rotation_choice.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "method/hadamard_rotation.h"
#include "method/pairwise_rotation.h"
#include "paroquant/method/output_error.h"
#include "paroquant/method/quantize_linear.h"
#include "paroquant/quant/rotation.h"
#include "tests/method/fixtures.h"
#include "tests/quant/fixtures.h"

namespace paroquant::method {
namespace {

using quant::testing::RandomMatrix;

TEST(ExpectedLogErrorTest, AgreesWithItsDefinition) {
  const Matrix channels = RandomMatrix(16, 40, 1);
  const MatrixD factor = RandomMatrix(16, 16, 2).cast<double>();
  MatrixD block = factor * factor.transpose();
  block.diagonal().array() += 1;
  // Channels by falling diagonal; what remains of each once those after it are known is 1 / the
  // diagonal of the inverse of what is left.
  std::vector<int> order(16);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int a, int b) { return block(a, a) > block(b, b); });
  const MatrixD ordered = block(order, order);
  double costs = 0;
  for (Eigen::Index i = 0; i < 16; ++i) {
    // Variance of channel i given those after it.
    const MatrixD rest = ordered.bottomRightCorner(16 - i, 16 - i);
    const VectorD first = VectorD::Unit(16 - i, 0);
    costs += 1 / rest.llt().solve(first)[0];
  }
  double norms = 0;
  for (Eigen::Index row = 0; row < 40; ++row) {
    norms += std::sqrt(channels.col(row).cast<double>().array().pow(4).sum());
  }
  EXPECT_NEAR(ExpectedLogError(channels, block), std::log(costs) + std::log(norms / 40), 1e-5);
}

TEST(ExpectedLogErrorTest, IsFiniteForWeightsOfAnySize) {
  for (const float size : {1e-37F, 1.0F, 1e37F}) {
    const Matrix channels = size * RandomMatrix(16, 40, 1);
    EXPECT_TRUE(std::isfinite(ExpectedLogError(channels, MatrixD::Identity(16, 16)))) << size;
  }
}

// Groups that each rotation is made for: spikes that the Hadamard transform spreads, weights that
// are even already, and Gaussian ones, which only the closed form can do something about.
TEST(ChooseRotationTest, EachGroupGetsWhatSuitsIt) {
  constexpr int kSize = 32;
  Matrix channels(3 * kSize, 48);
  channels.topRows(kSize) = RandomMatrix(kSize, 48, 1);
  channels.middleRows(kSize, kSize) = RandomMatrix(kSize, 48, 2).cwiseSign();
  channels.bottomRows(kSize).setZero();
  for (Eigen::Index row = 0; row < 48; ++row) channels(2 * kSize + row % kSize, row) = 1;
  const auto chosen = ChooseRotation(channels, MatrixD::Identity(3 * kSize, 3 * kSize), kSize, 5);
  const auto expect_group = [&](int group, const quant::Rotation& expected) {
    for (int round = 0; round < 5; ++round) {
      const auto* pairs = &chosen.pairs[static_cast<size_t>((round * 3 + group) * kSize)];
      const auto* other = &expected.pairs[static_cast<size_t>(round * kSize)];
      EXPECT_TRUE(std::equal(pairs, pairs + kSize, other)) << group << " " << round;
    }
  };
  expect_group(0, FindGroupRotation(channels.topRows(kSize), 5));
  expect_group(1, quant::IdentityRotation(kSize, kSize, 5));
  expect_group(2, HadamardRotation(kSize, kSize, 5));
}

// The claim for wide layers: for few rows and for many, the choice is not worse than no rotation
// or the Hadamard transform, on tokens that it has not seen either, up to what these differ by.
TEST(BestRotationTest, IsNotWorseThanNoneOrHadamardOnUnseenTokens) {
  constexpr int64_t kChannels = 256;
  const Matrix inputs = testing::CorrelatedInputs(3000, kChannels, 2);
  const InputStatistics statistics = testing::StatisticsOf(inputs.topRows(2000));
  const InputStatistics held_out = testing::StatisticsOf(inputs.middleRows(2000, 500));
  const InputStatistics unseen = testing::StatisticsOf(inputs.bottomRows(500));
  for (const int64_t rows : {128, 8192}) {
    const Matrix weight = RandomMatrix(rows, kChannels, 1);
    const auto error = [&](RotationChoice rotation) {
      const LinearProblem problem{
          .name = "layer", .target = weight, .statistics = &statistics, .held_out = &held_out};
      return RelativeOutputError(weight, QuantizeLinear(problem, {.rotation = rotation}, {}),
                                 unseen);
    };
    const double none = error(RotationChoice::kNone);
    const double best = error(RotationChoice::kBest);
    EXPECT_LE(best, 1.01 * none) << rows;
    EXPECT_LE(best, 1.01 * error(RotationChoice::kHadamard)) << rows;
    // Few rows leave angles much to gain.
    if (rows == 128) {
      EXPECT_LT(best, 0.8 * none);
    }
  }
}

}  // namespace
}  // namespace paroquant::method
