#include "paroquant/method/input_statistics.h"

#include <gtest/gtest.h>

#include <limits>

#include "paroquant/base/error.h"
#include "paroquant/base/parallel.h"
#include "paroquant/method/output_error.h"
#include "paroquant/quant/dequantize.h"
#include "tests/method/fixtures.h"
#include "tests/quant/fixtures.h"

namespace paroquant::method {
namespace {

using quant::testing::RandomMatrix;

constexpr int64_t kInputChannels = 200;  // a tile and a rest

TEST(InputStatisticsTest, MomentIsTheMeanOfOuterProducts) {
  const Matrix first = RandomMatrix(700, kInputChannels, 1);  // more than one chunk
  const Matrix second = RandomMatrix(5, kInputChannels, 2);
  InputStatistics statistics("inputs", kInputChannels);
  statistics.Add(first);
  statistics.Add(second);
  EXPECT_EQ(statistics.tokens(), 705);
  const MatrixD a = first.cast<double>();
  const MatrixD b = second.cast<double>();
  const MatrixD expected = (a.transpose() * a + b.transpose() * b) / 705;
  EXPECT_TRUE(statistics.DampedMoment(0).isApprox(expected, 1e-6));
  const MatrixD damped = expected + 0.25 * expected.trace() / kInputChannels *
                                        MatrixD::Identity(kInputChannels, kInputChannels);
  EXPECT_TRUE(statistics.DampedMoment(0.25).isApprox(damped, 1e-6));
}

TEST(InputStatisticsTest, MomentIsSymmetric) {
  const MatrixD moment =
      testing::StatisticsOf(RandomMatrix(30, kInputChannels, 1)).DampedMoment(0.01);
  EXPECT_TRUE(moment == moment.transpose());
}

TEST(InputStatisticsTest, NothingToLearnFromGivesTheIdentity) {
  const MatrixD identity = MatrixD::Identity(kInputChannels, kInputChannels);
  InputStatistics statistics("inputs", kInputChannels);
  EXPECT_TRUE(statistics.DampedMoment(0.01) == identity);
  EXPECT_EQ(statistics.OutputEnergy(RandomMatrix(3, kInputChannels, 1)), 0);
  statistics.Add(Matrix::Zero(8, kInputChannels));
  EXPECT_TRUE(statistics.DampedMoment(0.01) == identity);
}

TEST(InputStatisticsTest, OutputEnergyIsTheMeanSquaredOutput) {
  const Matrix inputs = testing::CorrelatedInputs(300, kInputChannels, 1);
  const Matrix weight = RandomMatrix(600, kInputChannels, 2);
  const double expected =
      (inputs.cast<double>() * weight.cast<double>().transpose()).squaredNorm() / 300;
  EXPECT_NEAR(testing::StatisticsOf(inputs).OutputEnergy(weight), expected, 1e-6 * expected);
}

TEST(InputStatisticsTest, ThreadCountChangesNoBit) {
  const Matrix inputs = RandomMatrix(600, kInputChannels, 1);
  SetThreadCount(1);
  const InputStatistics one = testing::StatisticsOf(inputs);
  const double energy = one.OutputEnergy(inputs);
  SetThreadCount(5);
  const InputStatistics five = testing::StatisticsOf(inputs);
  EXPECT_TRUE(five.DampedMoment(0.01) == one.DampedMoment(0.01));
  EXPECT_EQ(five.OutputEnergy(inputs), energy);
  SetThreadCount(AvailableCores());
}

TEST(InputStatisticsTest, RefusesActivationsThatAreNotFinite) {
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    Matrix inputs = RandomMatrix(4, kInputChannels, 1);
    inputs(2, 7) = bad;
    InputStatistics statistics("block 3", kInputChannels);
    try {
      statistics.Add(inputs);
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
      EXPECT_EQ(error.parts().where, "block 3");
    }
  }
}

TEST(RelativeOutputErrorTest, IsTheErrorOfTheOutputsOnTheTokens) {
  const quant::QuantizedLinear linear = quant::testing::RandomQuantizedLinear(24, 128, 4, 64, 1);
  const Matrix inputs = testing::CorrelatedInputs(50, 128, 2);
  const Matrix weight = quant::EffectiveWeight(linear) + RandomMatrix(24, 128, 3) / 10;
  const double expected = testing::RelativeError(inputs, weight, quant::EffectiveWeight(linear));
  const double error = RelativeOutputError(weight, linear, testing::StatisticsOf(inputs));
  EXPECT_NEAR(error, expected, 1e-5 * expected);
}

TEST(RelativeOutputErrorTest, IsZeroForALayerWithoutOutput) {
  const quant::QuantizedLinear linear = quant::testing::RandomQuantizedLinear(24, 128, 4, 64, 1);
  const InputStatistics statistics = testing::StatisticsOf(RandomMatrix(9, 128, 2));
  EXPECT_EQ(RelativeOutputError(Matrix::Zero(24, 128), linear, statistics), 0);
}

}  // namespace
}  // namespace paroquant::method
