#include "report/scale.h"

#include <gmock/gmock.h>

#include <cmath>

namespace paroquant::report {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::Pointwise;

TEST(ScaleTest, LinearEndsAtRoundNumbers) {
  const Scale scale(ScaleKind::kLinear, {0.13, 0.87});
  EXPECT_THAT(scale.ticks(), Pointwise(DoubleEq(), {0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0}));
  EXPECT_DOUBLE_EQ(scale.Place(0), 0);
  EXPECT_DOUBLE_EQ(scale.Place(0.25), 0.25);
  EXPECT_DOUBLE_EQ(scale.Place(1), 1);
}

TEST(ScaleTest, WholeEndsWithItsValues) {
  const Scale scale(ScaleKind::kWhole, {0, 35});
  EXPECT_THAT(scale.ticks(), ElementsAre(0, 10, 20, 30));
  EXPECT_FALSE(std::signbit(scale.ticks().front()));
  EXPECT_DOUBLE_EQ(scale.Place(35), 1);
  EXPECT_THAT(Scale(ScaleKind::kWhole, {0, 1}).ticks(), ElementsAre(0, 1));
  EXPECT_THAT(Scale(ScaleKind::kWhole, {0}).ticks(), ElementsAre(0));
}

TEST(ScaleTest, LogarithmicHasEqualFactorsAtEqualDistances) {
  const Scale near(ScaleKind::kLogarithmic, {0.3, 1.7});
  EXPECT_THAT(near.ticks(), Pointwise(::testing::DoubleNear(1e-12), {0.2, 0.5, 1.0, 2.0}));
  EXPECT_NEAR(near.Place(1) - near.Place(0.5), near.Place(0.5) - near.Place(0.25), 1e-12);
  const Scale far(ScaleKind::kLogarithmic, {0.5, 2e7});
  EXPECT_NEAR(far.Place(0.5), 0, 1e-12);
  EXPECT_NEAR(far.Place(2e7), 1, 1e-12);
  EXPECT_DOUBLE_EQ(far.ticks().front(), 1);
  EXPECT_FALSE(far.Shows(0));
}

// A chart of one number or of none is a chart too.
TEST(ScaleTest, AnythingHasTwoTicksAndCoversItsValues) {
  const std::vector<std::vector<double>> inputs = {
      {}, {0}, {7}, {-3}, {1e-30}, {1e30}, {NAN, 2, HUGE_VAL}, {1e-5, 1e5}, {9.9, 10.1}, {1, 1}};
  for (const ScaleKind kind : {ScaleKind::kLinear, ScaleKind::kWhole, ScaleKind::kLogarithmic}) {
    for (const auto& values : inputs) {
      const Scale scale(kind, values);
      const bool single = kind == ScaleKind::kWhole;
      EXPECT_GE(scale.ticks().size(), single ? 1U : 2U) << ::testing::PrintToString(values);
      EXPECT_LE(scale.ticks().size(), 12U) << ::testing::PrintToString(values);
      for (const double value : values) {
        if (!scale.Shows(value)) continue;
        EXPECT_GE(scale.Place(value), -1e-9) << value;
        EXPECT_LE(scale.Place(value), 1 + 1e-9) << value;
      }
      for (const double tick : scale.ticks()) {
        EXPECT_GE(scale.Place(tick), -1e-9) << tick << ::testing::PrintToString(values);
        EXPECT_LE(scale.Place(tick), 1 + 1e-9) << tick << ::testing::PrintToString(values);
      }
    }
  }
}

}  // namespace
}  // namespace paroquant::report
