#include "paroquant/method/layer_facts.h"

#include <gmock/gmock.h>

#include "paroquant/method/quantize_linear.h"
#include "tests/method/fixtures.h"
#include "tests/quant/fixtures.h"

namespace paroquant::method {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(MeasureRangesTest, AGroupOfKnownRange) {
  Matrix weight(2, 32);
  weight.row(0).setConstant(0.5F);
  weight.row(0).tail(16).setConstant(-0.5F);  // range 1, root mean square 0.5
  weight.row(1).setZero();                    // counts for nothing
  const auto linear = QuantizeLinear({.name = "layer", .target = weight},
                                     {.channel_scales = ChannelScaleChoice::kNone,
                                      .rotation = RotationChoice::kNone,
                                      .grid = GridChoice::kMinMax,
                                      .rounding = RoundingChoice::kNearest},
                                     {.group_size = 32});
  EXPECT_NEAR(MeasureRanges(weight, linear).before, 2, 1e-6);
  EXPECT_NEAR(MeasureRanges(weight, linear).after, 2, 1e-6);
}

TEST(MeasureRangesTest, RotationsNarrowTheRange) {
  const Matrix weight = testing::WeightWithOutliers(64, 256, 1);
  const InputStatistics statistics = testing::StatisticsOf(testing::CorrelatedInputs(500, 256, 2));
  const auto linear =
      QuantizeLinear({.name = "layer", .target = weight, .statistics = &statistics}, {}, {});
  const GroupRanges ranges = MeasureRanges(weight, linear);
  EXPECT_LT(ranges.after, 0.8 * ranges.before);
}

TEST(UnusualFactsTest, NamesWhatIsUnusualAndNothingElse) {
  Matrix weight = quant::testing::RandomMatrix(4, 64, 1);
  Matrix inputs = quant::testing::RandomMatrix(100, 64, 2);
  const InputStatistics all = testing::StatisticsOf(inputs);
  EXPECT_THAT(UnusualFacts(weight, 32, &all), IsEmpty());

  inputs.col(3).setZero();
  weight.row(0).head(32).setConstant(0.25F);
  weight.row(1) = weight.row(1).cwiseAbs().array() + 1;
  weight(2, 7) = 1e6F;
  const InputStatistics few = testing::StatisticsOf(inputs.topRows(40));
  EXPECT_THAT(UnusualFacts(weight, 32, &few),
              ElementsAre("inputs that are always 0: 1",
                          "40 tokens for 64 inputs: correlations are guesswork",
                          "groups of equal weights: 1", "groups of weights of one sign: 2",
                          "groups with one weight that dwarfs the others: 1"));
  EXPECT_EQ(UnusualFacts(weight, 32, nullptr).size(), 3U);
}

}  // namespace
}  // namespace paroquant::method
