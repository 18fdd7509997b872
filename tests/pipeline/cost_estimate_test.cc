#include "paroquant/pipeline/cost_estimate.h"

#include <gtest/gtest.h>

#include <utility>

#include "tests/testing/paths.h"

namespace paroquant::pipeline {
namespace {

constexpr double kRate = 1e11;

class CostEstimateTest : public ::testing::Test {
 protected:
  CostEstimate Estimate() const {
    return EstimateCost(source_, PlanLayers(source_.architecture(), options_), options_, kRate);
  }
  double SecondsFor(int64_t sequences) {
    options_.recipe.calibration_sequences = sequences;
    return Estimate().seconds;
  }

  const model::Checkpoint source_ = model::Checkpoint::Open(testing::DataPath("tiny-llama"));
  QuantizeOptions options_{.calibration = {"text.txt"}};
};

TEST_F(CostEstimateTest, TimeIsLinearInTokensAndInverseToTheRate) {
  const double first = SecondsFor(100);
  const double second = SecondsFor(200);
  EXPECT_GT(second, first);
  EXPECT_NEAR(SecondsFor(300) - second, second - first, 1e-9 * second);
  const auto plans = PlanLayers(source_.architecture(), options_);
  EXPECT_NEAR(EstimateCost(source_, plans, options_, 2 * kRate).seconds, Estimate().seconds / 2,
              1e-9);
}

// GPTQ's stream by hand: 16 bits for the held-out tokens alone, no gradients, no repairs.
TEST_F(CostEstimateTest, ATokenTakesItsForwardPassAndItsMoments) {
  options_.recipe = method::LoadRecipe("gptq");
  options_.recipe.sequence_length = 512;
  const model::Architecture& a = source_.architecture();
  // A value that is written takes as long as 160 more multiply-adds; a score, on average of half
  // the sequence, is one, too.
  constexpr int64_t kValue = 160;
  const double attention = 2.0 * 512 * static_cast<double>(a.heads * (a.head_dim + kValue / 2));
  double forward = attention;
  double moments = 0;
  for (const model::LinearInfo& info : DescribeLinears(a, 0)) {
    const model::LinearRole role = info.role;
    // Before the moments of what reads it, and after: short sequences' attention is not kept.
    const bool twice = InputOf(role) == model::LinearInput::kAttentionInput;
    forward +=
        (twice ? 4.0 : 2.0) * static_cast<double>(info.out_features * (info.in_features + kValue));
    const bool new_input = role != model::LinearRole::kKey && role != model::LinearRole::kValue &&
                           role != model::LinearRole::kUp;
    if (new_input) moments += static_cast<double>(info.in_features * info.in_features);
  }
  forward += attention;  // tiny-llama's is computed twice, its sequences being short
  const double expected = static_cast<double>(a.layers) * (forward + moments) * 512 * 100 / kRate;
  const double found = SecondsFor(200) - SecondsFor(100);
  EXPECT_NEAR(found / expected, 1.1, 0.01);
}

TEST_F(CostEstimateTest, EachIngredientTakesTime) {
  const double fast = Estimate().seconds;
  for (const char* setting : {"target=weight", "rotation=hadamard", "row_feedback=false",
                              "descent_passes=0", "held_out_sequences=1"}) {
    QuantizeOptions less = options_;
    method::SetRecipeKey(less.recipe, setting, "--set");
    std::swap(less, options_);
    EXPECT_LT(Estimate().seconds, fast) << setting;
    std::swap(less, options_);
  }
  method::SetRecipeKey(options_.recipe, "tuning.stage1.epochs=5", "--set");
  EXPECT_GT(Estimate().seconds, 2 * fast);
}

TEST_F(CostEstimateTest, WhatTheBudgetDoesNotHoldGoesToDisk) {
  options_.memory_budget = uint64_t{1} << 40U;
  const CostEstimate roomy = Estimate();
  EXPECT_EQ(roomy.spilled_bytes, 0);
  options_.memory_budget = 0;
  const CostEstimate tight = Estimate();
  EXPECT_EQ(tight.spilled_bytes, roomy.memory_bytes - tight.memory_bytes);
  // tests/cli/plan_test.cc compares with runs.
  EXPECT_GT(tight.spilled_bytes, 0);
}

TEST_F(CostEstimateTest, WithoutTextThereIsLittleToDo) {
  const double fast = Estimate().seconds;
  options_.recipe = method::LoadRecipe("rtn");
  EXPECT_LT(Estimate().seconds, 0.01 * fast);
}

}  // namespace
}  // namespace paroquant::pipeline
