#include "paroquant/method/quantize_linear.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "method/column_scale.h"
#include "method/gptq.h"
#include "method/hadamard_rotation.h"
#include "method/pairwise_rotation.h"
#include "method/round_to_nearest.h"
#include "paroquant/base/error.h"
#include "paroquant/base/half.h"
#include "paroquant/base/parallel.h"
#include "paroquant/method/output_error.h"
#include "paroquant/method/recipe.h"
#include "paroquant/method/rtn.h"
#include "paroquant/quant/dequantize.h"
#include "paroquant/quant/rotation.h"
#include "tests/method/fixtures.h"
#include "tests/quant/fixtures.h"

namespace paroquant::method {
namespace {

using quant::testing::RandomMatrix;

TEST(ColumnScaleTest, EvensOutColumnNormsWithinAGroup) {
  Matrix weight = testing::WeightWithOutliers(40, 64, 1);
  weight.col(9).setZero();
  const std::vector<uint16_t> stored = InverseNormChannelScales(weight, 32);
  const Matrix scaled = weight * ColumnScales(stored).asDiagonal();
  for (int64_t base : {0, 32}) {
    double log_sum = 0;
    for (int64_t j = base; j < base + 32; ++j) {
      log_sum += std::log(HalfToFloat(stored[static_cast<size_t>(j)]));
      if (j == 9) continue;
      EXPECT_NEAR(scaled.col(j).norm() / scaled.col(base).norm(), 1, 2e-3);
    }
    EXPECT_NEAR(log_sum, 0, 0.02);
  }
  EXPECT_EQ(stored[9], FloatToHalf(1));
}

TEST(ColumnScaleTest, ScalesAreBounded) {
  Matrix weight = Matrix::Ones(4, 32);
  weight.col(0) *= 1e20F;
  weight.col(1) *= 1e-20F;
  for (const uint16_t bits : InverseNormChannelScales(weight, 32)) {
    EXPECT_LE(std::abs(std::log(HalfToFloat(bits))), 5.001);
  }
}

// Channels that are large in the inputs get finer steps, and rounding loses less for it.
TEST(ColumnScaleTest, ActivationAwareScalesLowerTheErrorOfRoundingToNearest) {
  const Matrix weight = RandomMatrix(48, 128, 1);
  Matrix inputs = RandomMatrix(400, 128, 2);
  for (int64_t j = 3; j < 128; j += 16) inputs.col(j) *= 20;
  const InputStatistics statistics = testing::StatisticsOf(inputs);
  const LinearProblem problem{"layer", weight, &statistics};
  const std::vector<uint16_t> stored = ActivationAwareChannelScales(problem, 4, 64);
  const Vector scales = ColumnScales(stored);
  EXPECT_GT(scales[3], 2 * scales[4]);
  Basis basis = IdentityBasis(128, 64);
  const double plain = RelativeOutputError(
      weight, RoundToNearest(problem, basis, 4, {GridChoice::kMinMax}), statistics);
  basis.channel_scales = stored;
  const double scaled = RelativeOutputError(
      weight, RoundToNearest(problem, basis, 4, {GridChoice::kMinMax}), statistics);
  EXPECT_LT(scaled, 0.5 * plain);
}

TEST(ColumnScaleTest, ActivationAwareScalesThatDoNotHelpAreNone) {
  const Matrix weight = Matrix::Constant(8, 64, 0.5F);  // on any grid as it is
  const InputStatistics statistics = testing::StatisticsOf(RandomMatrix(100, 64, 2));
  for (const uint16_t scale : ActivationAwareChannelScales({"layer", weight, &statistics}, 4, 64)) {
    EXPECT_EQ(scale, FloatToHalf(1));
  }
}

TEST(QuantizeRtnTest, WeightsComeBackWithinHalfAStep) {
  const Matrix weight = testing::WeightWithOutliers(24, 128, 1);
  for (const int bits : {2, 3, 4, 8}) {
    const quant::QuantizedLinear linear = QuantizeRtn({"layer", weight, nullptr}, bits, 32);
    EXPECT_EQ(Problem(linear), "");
    EXPECT_EQ(linear.rotation.rounds, 1);
    const Matrix error = (quant::EffectiveWeight(linear) - weight).cwiseAbs();
    for (int64_t row = 0; row < 24; ++row) {
      for (int64_t group = 0; group < 4; ++group) {
        const float scale = HalfToFloat(linear.scales[static_cast<size_t>(row * 4 + group)]);
        // Both ends may lie half a step outside the codes, and a rounded scale moves them a little.
        EXPECT_LE(error.row(row).segment(group * 32, 32).maxCoeff(), 1.02F * scale);
      }
    }
  }
}

// The claims of the method: on correlated inputs mixing helps, and mixing that knows the weights
// helps most, with rounding to nearest as with feedback.
class RotationOrderTest : public ::testing::Test {
 protected:
  // Rounds to nearest in the rotated basis, where inputs and weight have both been rotated.
  double NearestError(const quant::Rotation& rotation) const {
    const quant::PreparedRotation<float> prepared(rotation);
    Matrix inputs = inputs_;
    Matrix weight = weight_;
    prepared.RotateRows(inputs, nullptr, inputs);
    prepared.RotateRows(weight, nullptr, weight);
    return RelativeOutputError(weight, QuantizeRtn({"layer", weight, nullptr}, 4, 128),
                               testing::StatisticsOf(inputs));
  }
  double FeedbackError(const quant::Rotation& rotation) const {
    Basis basis = IdentityBasis(512, 128);
    basis.rotation = rotation;
    const LinearProblem problem{"layer", weight_, &statistics_};
    return RelativeOutputError(
        weight_, QuantizeInBasis(problem, basis, 4, 0.01, {GridChoice::kSearched}), statistics_);
  }

  const Matrix weight_ = testing::WeightWithOutliers(256, 512, 1);
  const Matrix inputs_ = testing::CorrelatedInputs(2000, 512, 2);
  const InputStatistics statistics_ = testing::StatisticsOf(inputs_);
  const quant::Rotation identity_ = quant::IdentityRotation(512, 128);
  const quant::Rotation hadamard_ = HadamardRotation(512, 128, 8);
  const quant::Rotation closed_form_ = FindRotation(weight_.transpose(), 128, 8);
};

TEST_F(RotationOrderTest, ClosedFormBeatsHadamardBeatsIdentityRoundingToNearest) {
  EXPECT_LT(NearestError(hadamard_), NearestError(identity_));
  EXPECT_LT(NearestError(closed_form_), NearestError(hadamard_));
}

TEST_F(RotationOrderTest, ClosedFormBeatsHadamardBeatsIdentityWithFeedback) {
  EXPECT_LT(FeedbackError(hadamard_), FeedbackError(identity_));
  EXPECT_LT(FeedbackError(closed_form_), FeedbackError(hadamard_));
}

TEST_F(RotationOrderTest, ColumnScalesHelpTheRotation) {
  const auto linear = QuantizeLinear({"layer", weight_, &statistics_}, {}, {});
  EXPECT_LT(RelativeOutputError(weight_, linear, statistics_), FeedbackError(closed_form_));
}

struct OutlierErrors {
  double closed_form = 0;
  double rtn = 0;
};

// Errors with some channels made `factor` times larger in the inputs and smaller in the weight,
// which leaves the layer's function as it is. Summed over weights, since which pairs are matched is
// a matter of chance. The weights have no outliers of their own: those ruin RTN in any case.
OutlierErrors ErrorsWithOutliers(const Matrix& inputs, float factor) {
  Vector factors = Vector::Ones(inputs.cols());
  for (int64_t j = 5; j < inputs.cols(); j += 40) factors[j] = factor;
  const InputStatistics statistics = testing::StatisticsOf(inputs * factors.asDiagonal());
  OutlierErrors errors;
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    const Matrix weight =
        RandomMatrix(96, inputs.cols(), seed) * factors.cwiseInverse().asDiagonal();
    const LinearProblem problem{"layer", weight, &statistics};
    errors.closed_form += RelativeOutputError(weight, QuantizeLinear(problem, {}, {}), statistics);
    errors.rtn += RelativeOutputError(weight, QuantizeRtn(problem, 4, 128), statistics);
  }
  return errors;
}

TEST(QuantizeLinearTest, OutlierChannelsOfUncorrelatedInputsChangeNothing) {
  const Matrix inputs = RandomMatrix(1000, 256, 9);
  const OutlierErrors plain = ErrorsWithOutliers(inputs, 1);
  const OutlierErrors moved = ErrorsWithOutliers(inputs, 16);
  EXPECT_NEAR(moved.closed_form, plain.closed_form, 0.03 * plain.closed_form);
  EXPECT_GT(moved.rtn, 3 * plain.rtn);
}

// With much to gain from correlations, damping must not see the outliers either.
TEST(QuantizeLinearTest, OutlierChannelsOfCorrelatedInputsChangeNothing) {
  const Matrix inputs = testing::CorrelatedInputs(1000, 256, 2);
  const OutlierErrors plain = ErrorsWithOutliers(inputs, 1);
  const OutlierErrors moved = ErrorsWithOutliers(inputs, 16);
  EXPECT_NEAR(moved.closed_form, plain.closed_form, 0.05 * plain.closed_form);
  EXPECT_GT(moved.rtn, 2 * plain.rtn);
}

TEST(QuantizeLinearTest, ImitatesTheTargetItIsGiven) {
  const Matrix target = testing::WeightWithOutliers(32, 128, 1);
  const Matrix inputs = testing::CorrelatedInputs(400, 128, 2);
  const InputStatistics statistics = testing::StatisticsOf(inputs);
  const auto linear = QuantizeLinear({"layer", target, &statistics}, {}, {.bits = 8});
  EXPECT_LT(testing::RelativeError(inputs, target, quant::EffectiveWeight(linear)), 1e-4);
}

TEST(QuantizeLinearTest, ThreadCountChangesNothing) {
  const Matrix weight = testing::WeightWithOutliers(150, 256, 1);
  const auto quantize = [&](int threads) {
    SetThreadCount(threads);
    const InputStatistics statistics =
        testing::StatisticsOf(testing::CorrelatedInputs(300, 256, 2));
    auto linear = QuantizeLinear({"layer", weight, &statistics}, {}, {.group_size = 64});
    SetThreadCount(AvailableCores());
    return linear;
  };
  const quant::QuantizedLinear one = quantize(1);
  const quant::QuantizedLinear five = quantize(5);
  EXPECT_EQ(one.codes, five.codes);
  EXPECT_EQ(one.zeros, five.zeros);
  EXPECT_EQ(one.scales, five.scales);
  EXPECT_EQ(one.channel_scales, five.channel_scales);
  EXPECT_EQ(one.rotation.pairs, five.rotation.pairs);
  EXPECT_EQ(one.rotation.theta, five.rotation.theta);
}

struct Degenerate {
  std::string name;
  std::function<void(Matrix& weight, Matrix& inputs)> change;
};

class DegenerateInputTest : public ::testing::TestWithParam<Degenerate> {};

INSTANTIATE_TEST_SUITE_P(
    Cases, DegenerateInputTest,
    ::testing::
        Values(
            Degenerate{"DeadInputs", [](Matrix&, Matrix& x) { x.middleCols(3, 40).setZero(); }},
            Degenerate{"ZeroColumns", [](Matrix& w, Matrix&) { w.middleCols(3, 40).setZero(); }},
            Degenerate{"DeadInputsWithZeroColumns",
                       [](Matrix& w, Matrix& x) {
                         w.leftCols(64).setZero();
                         x.leftCols(64).setZero();
                       }},
            Degenerate{"ZeroRows", [](Matrix& w, Matrix&) { w.topRows(5).setZero(); }},
            Degenerate{"ZeroWeight", [](Matrix& w, Matrix&) { w.setZero(); }},
            Degenerate{"ConstantGroups",
                       [](Matrix& w, Matrix&) { w.leftCols(64).setConstant(0.3F); }},
            Degenerate{"ConstantWeight", [](Matrix& w, Matrix&) { w.setConstant(-0.3F); }},
            Degenerate{"AllPositive", [](Matrix& w, Matrix&) { w = w.cwiseAbs().array() + 1; }},
            Degenerate{"HugeOutlierWeight", [](Matrix& w, Matrix&) { w(7, 70) = 3e38F; }},
            Degenerate{"HugeWeights", [](Matrix& w, Matrix&) { w *= 1e37F; }},
            Degenerate{"GreatestWeights", [](Matrix& w, Matrix&) { w.setConstant(3e38F); }},
            Degenerate{"GreatestWeightsOfBothSigns",
                       [](Matrix& w, Matrix&) { w = w.cwiseSign() * 3e38F; }},
            Degenerate{"TinyWeights", [](Matrix& w, Matrix&) { w *= 1e-37F; }},
            Degenerate{"HugeOutlierInput", [](Matrix&, Matrix& x) { x.col(9) *= 1e6F; }},
            Degenerate{"HugeInputs", [](Matrix&, Matrix& x) { x *= 1e15F; }},
            Degenerate{"TinyInputs", [](Matrix&, Matrix& x) { x *= 1e-15F; }},
            Degenerate{
                "EqualChannels",
                [](Matrix&, Matrix& x) {
                  const Vector first = x.col(0);
                  x.colwise() = first;
                }},
            Degenerate{"OneToken", [](Matrix&, Matrix& x) { x.conservativeResize(1, x.cols()); }},
            Degenerate{"NoTokens", [](Matrix&, Matrix& x) { x.resize(0, x.cols()); }},
            Degenerate{"OneRow", [](Matrix& w, Matrix&) { w.conservativeResize(1, w.cols()); }}),
    [](const auto& instance) { return instance.param.name; });

TEST_P(DegenerateInputTest, GivesAValidLayerNoWorseThanRoundToNearest) {
  for (const int bits : {2, 4}) {
    Matrix weight = testing::WeightWithOutliers(20, 128, 1);
    Matrix inputs = testing::CorrelatedInputs(50, 128, 2);  // fewer tokens than channels
    GetParam().change(weight, inputs);
    const InputStatistics statistics = testing::StatisticsOf(inputs);
    const LinearProblem problem{"layer", weight, &statistics};
    const auto linear = QuantizeLinear(problem, {}, {.bits = bits, .group_size = 64});
    EXPECT_EQ(Problem(linear), "");
    EXPECT_TRUE(quant::EffectiveWeight(linear).allFinite());
    const auto baseline = QuantizeRtn(problem, bits, 64);
    EXPECT_EQ(Problem(baseline), "");
    if (weight.cwiseAbs().maxCoeff() > 1e30F) continue;  // beyond what scales in halves reach
    EXPECT_LE(RelativeOutputError(weight, linear, statistics),
              1.001 * RelativeOutputError(weight, baseline, statistics) + 1e-9);
  }
}

// Other recipes than the default have their own ways to stumble.
TEST_P(DegenerateInputTest, EveryRecipeGivesAValidLayer) {
  Matrix weight = testing::WeightWithOutliers(20, 128, 1);
  Matrix inputs = testing::CorrelatedInputs(50, 128, 2);
  GetParam().change(weight, inputs);
  const InputStatistics statistics = testing::StatisticsOf(inputs);
  for (const std::string& name : ShippedRecipes()) {
    const LinearProblem problem{
        .name = "layer", .target = weight, .statistics = &statistics, .held_out = &statistics};
    const auto linear = QuantizeLinear(problem, LoadRecipe(name).layer, {.group_size = 64});
    EXPECT_EQ(Problem(linear), "") << name;
    EXPECT_TRUE(quant::EffectiveWeight(linear).allFinite()) << name;
  }
}

TEST(QuantizeLinearTest, RecipesWithoutCalibrationNeedNoStatistics) {
  const Matrix weight = testing::WeightWithOutliers(20, 64, 1);
  int without = 0;
  for (const auto scales : {ChannelScaleChoice::kNone, ChannelScaleChoice::kInverseNorm,
                            ChannelScaleChoice::kActivationAware}) {
    for (const auto rotation :
         {RotationChoice::kNone, RotationChoice::kHadamard, RotationChoice::kClosedForm,
          RotationChoice::kBest, RotationChoice::kRandomPairs}) {
      for (const auto grid : {GridChoice::kMinMax, GridChoice::kSearched, GridChoice::kClipped}) {
        for (const auto rounding : {RoundingChoice::kNearest, RoundingChoice::kFeedback}) {
          Recipe recipe;
          recipe.layer = {.channel_scales = scales,
                          .rotation = rotation,
                          .grid = grid,
                          .rounding = rounding,
                          .target = TargetChoice::kWeight};
          if (recipe.NeedsCalibration()) continue;
          const auto linear =
              QuantizeLinear({.name = "layer", .target = weight}, recipe.layer, {.group_size = 32});
          EXPECT_EQ(Problem(linear), "");
          ++without;
        }
      }
    }
  }
  EXPECT_EQ(without, 8);
}

TEST(QuantizeLinearTest, SymmetricCodesHaveTheMiddleAsZeroPointWhateverTheGrid) {
  const Matrix weight = testing::WeightWithOutliers(40, 128, 1);
  const InputStatistics statistics = testing::StatisticsOf(testing::CorrelatedInputs(300, 128, 2));
  const LinearProblem problem{"layer", weight, &statistics};
  for (const std::string& name : ShippedRecipes()) {
    for (const auto grid : {GridChoice::kMinMax, GridChoice::kSearched, GridChoice::kClipped}) {
      LayerRecipe recipe = LoadRecipe(name).layer;
      recipe.grid = grid;
      const double free = RelativeOutputError(
          weight, QuantizeLinear(problem, recipe, {.group_size = 64}), statistics);
      recipe.symmetric = true;
      const auto linear = QuantizeLinear(problem, recipe, {.group_size = 64});
      EXPECT_TRUE(IsSymmetric(linear)) << name;
      EXPECT_LT(RelativeOutputError(weight, linear, statistics), 4 * free)
          << name;  // half the codes
    }
  }
}

TEST(QuantizeLinearTest, TakesAnyNumberOfBitsGroupsAndRounds) {
  const Matrix weight = testing::WeightWithOutliers(20, 192, 1);
  const InputStatistics statistics = testing::StatisticsOf(testing::CorrelatedInputs(99, 192, 2));
  for (const int bits : {2, 3, 4, 8}) {
    for (const int group_size : {64, 32}) {
      for (const int rotations : {0, 1, 8}) {
        LayerRecipe recipe;
        if (rotations == 0) recipe.rotation = RotationChoice::kNone;
        const auto linear = QuantizeLinear(
            {"layer", weight, &statistics}, recipe,
            {.bits = bits, .group_size = group_size, .rotations = std::max(1, rotations)});
        EXPECT_EQ(Problem(linear), "");
        EXPECT_EQ(linear.rotation.rounds, std::max(1, rotations));
      }
    }
  }
}

TEST(QuantizeLinearTest, RefusesWeightsThatAreNotFinite) {
  Matrix weight = testing::WeightWithOutliers(8, 128, 1);
  weight(3, 3) = std::numeric_limits<float>::quiet_NaN();
  const InputStatistics statistics = testing::StatisticsOf(RandomMatrix(9, 128, 2));
  const LinearProblem problem{"model.layers.3", weight, &statistics};
  for (const auto& quantize : std::vector<std::function<void()>>{
           [&] { QuantizeLinear(problem, {}, {}); }, [&] { QuantizeRtn(problem, 4, 128); }}) {
    try {
      quantize();
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
      EXPECT_EQ(error.parts().where, "model.layers.3");
    }
  }
}

}  // namespace
}  // namespace paroquant::method
