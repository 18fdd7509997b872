#include "paroquant/quant/affine.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "paroquant/base/half.h"
#include "tests/quant/fixtures.h"
#include "tests/quant/golden_tensors.h"

namespace paroquant::quant {
namespace {

class ReferenceGridTest : public ::testing::TestWithParam<std::tuple<int, int, ScaleType>> {};

INSTANTIATE_TEST_SUITE_P(
    Goldens, ReferenceGridTest,
    ::testing::Combine(::testing::Values(4, 3, 2), ::testing::Values(128, 64, 32),
                       ::testing::Values(ScaleType::kFloat, ScaleType::kHalf)));

TEST_P(ReferenceGridTest, AgreesBitForBit) {
  const auto [bits, group_size, scale_type] = GetParam();
  const testing::GoldenTensors golden("rtn/rtn.safetensors");
  const std::string name = "w" + std::to_string(bits) + "g" + std::to_string(group_size) +
                           (scale_type == ScaleType::kFloat ? ".fp32scale." : ".fp16scale.");
  const auto weight = golden.Values<float>("weight");
  const auto expected_codes = golden.Values<uint8_t>(name + "q");
  const auto expected_zeros = golden.Values<uint8_t>(name + "zero");
  const auto expected_values = golden.Values<float>(name + "dequantized");
  const Matrix expected_scales = golden.Get<float>(name + "scale");
  const auto size = static_cast<size_t>(group_size);
  std::vector<uint8_t> codes(size);
  std::vector<float> values(size);
  for (size_t group = 0; group < weight.size() / size; ++group) {
    const auto part = std::span(weight).subspan(group * size, size);
    const Grid grid = ReferenceMinMaxGrid(part, bits, scale_type);
    QuantizeGroup(part, grid, bits, codes);
    DequantizeGroup(codes, grid, values);
    EXPECT_EQ(grid.scale, expected_scales.data()[group]);
    EXPECT_EQ(grid.zero, expected_zeros[group]);
    for (size_t i = 0; i < size; ++i) {
      EXPECT_EQ(codes[i], expected_codes[group * size + i]);
      EXPECT_EQ(values[i], expected_values[group * size + i]);
    }
  }
}

// Groups that a grid through minimum and maximum alone would ruin.
std::vector<std::vector<float>> AwkwardGroups() {
  std::vector<std::vector<float>> groups = {
      std::vector<float>(32, 0.0F),     std::vector<float>(32, 0.37F),
      std::vector<float>(32, -0.37F),   std::vector<float>(32, 1e-9F),
      std::vector<float>(32, 60000.0F), {5.0F, 5.5F, 6.0F, 5.2F},
      {-5.0F, -5.5F, -6.0F, -5.2F},     {1e-6F, -1e-6F, 1000.0F, 2e-6F}};
  return groups;
}

TEST(MinMaxGridTest, EveryGroupComesBackWithinAStep) {
  for (const auto& [bits, zero] : std::vector<std::pair<int, ZeroPoint>>{{2, ZeroPoint::kFree},
                                                                         {3, ZeroPoint::kFree},
                                                                         {4, ZeroPoint::kFree},
                                                                         {8, ZeroPoint::kFree},
                                                                         {2, ZeroPoint::kMiddle},
                                                                         {4, ZeroPoint::kMiddle},
                                                                         {8, ZeroPoint::kMiddle}}) {
    for (const std::vector<float>& group : AwkwardGroups()) {
      const Grid grid = MinMaxGrid(group, bits, zero);
      if (zero == ZeroPoint::kMiddle) {
        EXPECT_EQ(grid.zero, 1 << (bits - 1));
      }
      EXPECT_EQ(grid.scale, SnapToHalf(grid.scale));
      EXPECT_GT(grid.scale, 0.0F);
      EXPECT_TRUE(std::isfinite(grid.scale));
      EXPECT_GE(grid.zero, 0);
      EXPECT_LE(grid.zero, MaxCode(bits));
      std::vector<uint8_t> codes(group.size());
      std::vector<float> values(group.size());
      QuantizeGroup(group, grid, bits, codes);
      DequantizeGroup(codes, grid, values);
      for (size_t i = 0; i < group.size(); ++i) {
        EXPECT_LE(std::abs(values[i] - group[i]), grid.scale) << group[i];
      }
    }
  }
}

TEST(ToCodeTest, EveryNumberAndWhatIsNoneBecomesACode) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(ToCode(0, 4), 0);
  EXPECT_EQ(ToCode(7, 4), 7);
  EXPECT_EQ(ToCode(15, 4), 15);
  EXPECT_EQ(ToCode(16, 4), 15);
  EXPECT_EQ(ToCode(kInfinity, 2), 3);
  EXPECT_EQ(ToCode(-1, 4), 0);
  EXPECT_EQ(ToCode(-kInfinity, 4), 0);
  EXPECT_EQ(ToCode(std::numeric_limits<float>::quiet_NaN(), 4), 0);
}

TEST(MinMaxGridTest, HugeWeightsStayFinite) {
  const std::vector<float> group = {3e38F, -3e38F, 1.0F, 0.0F};
  const Grid grid = MinMaxGrid(group, 4);
  EXPECT_EQ(grid.scale, kMaxHalf);
  std::vector<uint8_t> codes(group.size());
  QuantizeGroup(group, grid, 4, codes);
  EXPECT_EQ(codes[0], 15);
  EXPECT_EQ(codes[1], 0);
  EXPECT_EQ(MinMaxGrid(group, 4, ZeroPoint::kMiddle).scale, kMaxHalf);
}

// The scale of GPTQ's symmetric quantizer: from -1.5 to 1.5 in 15 steps.
TEST(MinMaxGridTest, SymmetricRangesAreThoseOfTheGreatestMagnitude) {
  const std::vector<float> group = {-1.5F, 0.25F, 0.5F};
  const Grid grid = MinMaxGrid(group, 4, ZeroPoint::kMiddle);
  EXPECT_EQ(grid.scale, SnapToHalf(0.2F));
  EXPECT_EQ(grid.zero, 8);
}

}  // namespace
}  // namespace paroquant::quant
