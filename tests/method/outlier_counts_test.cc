#include "paroquant/method/outlier_counts.h"

#include <gtest/gtest.h>

#include <numeric>

#include "paroquant/method/quantize_linear.h"
#include "paroquant/quant/dequantize.h"
#include "paroquant/quant/rotation.h"
#include "tests/method/fixtures.h"

namespace paroquant::method {
namespace {

int64_t Sum(const std::vector<int64_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), int64_t{0});
}

// The bin of [edges[i], edges[i + 1]) that a value lies in.
size_t BinOf(const std::vector<double>& edges, double value) {
  size_t bin = 0;
  while (bin + 2 < edges.size() && value >= edges[bin + 1]) ++bin;
  return bin;
}

TEST(OutlierCountsTest, WeightsAreCountedBesideTheirOwnGroup) {
  Matrix weight(2, 32);
  weight.setConstant(-1);
  weight.row(0) *= 1000;    // each is 1 RMS of its group, whatever the others are
  weight.row(1).setZero();  // a group of zeros
  weight(1, 5) = 3;         // sqrt(32) = 5.66 RMS, the others 0
  const auto counts = CountWeights(weight, 32);
  EXPECT_EQ(Sum(counts), 64);
  EXPECT_EQ(counts[BinOf(WeightBinEdges(), 1.0)], 32);
  EXPECT_EQ(counts[BinOf(WeightBinEdges(), 5.66)], 1);
  EXPECT_EQ(counts[0], 31);
  EXPECT_EQ(CountWeights(Matrix::Zero(1, 32), 32)[0], 32);
}

TEST(OutlierCountsTest, ChannelsAreCountedBesideAllOfThem) {
  VectorD mean_squares(4);
  mean_squares << 1, 1, 0, 14;  // of RMS 0.5, 0.5, 0 and 1.87 times that of all
  const auto counts = CountChannels(mean_squares);
  EXPECT_EQ(Sum(counts), 4);
  EXPECT_EQ(counts[0], 1);
  EXPECT_EQ(counts[BinOf(ChannelBinEdges(), 0.5001)], 2);
  EXPECT_EQ(counts[BinOf(ChannelBinEdges(), 1.87)], 1);
  EXPECT_EQ(CountChannels(VectorD::Zero(3))[0], 3);
}

// Against activations that are scaled and rotated one by one.
TEST(OutlierCountsTest, InputsAfterAreThoseOfRotatedActivations) {
  const Matrix weight = testing::WeightWithOutliers(64, 256, 1);
  const Matrix inputs = testing::CorrelatedInputs(500, 256, 2);
  const InputStatistics statistics = testing::StatisticsOf(inputs);
  const auto linear =
      QuantizeLinear({.name = "layer", .target = weight, .statistics = &statistics}, {}, {});
  const OutlierCounts counts = CountOutliers(weight, linear, &statistics);

  const Vector scales = quant::ChannelScales(linear);
  Matrix rotated(inputs.rows(), inputs.cols());
  quant::PreparedRotation<float>(linear.rotation).RotateRows(inputs, scales.data(), rotated);
  const VectorD squares = rotated.cast<double>().array().square().colwise().mean();
  const auto expected = CountChannels(squares);
  int64_t moved = 0;  // over the edge of a bin, by rounding
  for (size_t i = 0; i < expected.size(); ++i) {
    moved += std::abs(expected[i] - counts.inputs_after[i]);
  }
  EXPECT_LE(moved, 4);
  EXPECT_NE(counts.inputs_after, counts.inputs_before);
  EXPECT_EQ(counts.inputs_before, CountChannels(statistics.MeanSquares()));
}

// What rotations are for.
TEST(OutlierCountsTest, RotationsTakeWeightsOutOfTheUpperBins) {
  const Matrix weight = testing::WeightWithOutliers(64, 256, 1);
  const InputStatistics statistics = testing::StatisticsOf(testing::CorrelatedInputs(500, 256, 2));
  const auto linear =
      QuantizeLinear({.name = "layer", .target = weight, .statistics = &statistics}, {}, {});
  const OutlierCounts counts = CountOutliers(weight, linear, nullptr);
  EXPECT_TRUE(counts.inputs_before.empty());
  const auto beyond = [](const std::vector<int64_t>& bins) {
    return std::accumulate(bins.begin() + 8, bins.end(), int64_t{0});  // 4 RMS
  };
  EXPECT_EQ(Sum(counts.weights_after), 64 * 256);
  EXPECT_LT(beyond(counts.weights_after), beyond(counts.weights_before) / 2);
}

}  // namespace
}  // namespace paroquant::method
