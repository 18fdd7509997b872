#include "paroquant/method/block_tuning.h"

#include <gtest/gtest.h>

#include <vector>

#include "paroquant/base/parallel.h"
#include "paroquant/base/rng.h"
#include "paroquant/method/rtn.h"
#include "paroquant/quant/dequantize.h"
#include "paroquant/runtime/language_model.h"
#include "tests/testing/paths.h"

namespace paroquant::method {
namespace {

constexpr int64_t kLength = 48;

// The first block of a small model, rounded to nearest, and what it should give on random tokens.
class BlockTuningTest : public ::testing::Test {
 protected:
  BlockTuningTest()
      : model_(runtime::LanguageModel::Load(paroquant::testing::DataPath("tiny-llama"))),
        rope_(model_.Rope(0, kLength)),
        input_(Inputs(6, 1)),
        target_(Output(input_)),
        held_out_input_(Inputs(2, 2)),
        held_out_target_(Output(held_out_input_)) {
    for (const model::LinearInfo& info : DescribeLinears(model_.architecture(), 0)) {
      TuningLinear& linear = linears_.emplace_back();
      linear.weight = Matrix(info.out_features, info.in_features);
      model::DecodeFloats(model_.checkpoint().FloatTensor(info.name + ".weight",
                                                          {info.out_features, info.in_features}),
                          0, linear.weight.size(), linear.weight.data());
      linear.start =
          QuantizeRtn({.name = info.name, .target = linear.weight, .statistics = nullptr}, 3, 128);
    }
  }

  TunedBlock Tune(const BlockTuningOptions& options) const {
    nn::Block block = model_.MakeBlock(0);
    return TuneBlock(block, rope_, linears_,
                     {.length = kLength, .input = input_, .target = target_},
                     {.length = kLength, .input = held_out_input_, .target = held_out_target_},
                     loss_, options, [](const EpochReport&) {});
  }

  // Held-out loss of a block with these linears, computed apart from the tuner.
  double Loss(const nn::PerLinear<std::optional<quant::QuantizedLinear>>& linears) const {
    nn::Block block = model_.MakeBlock(0);
    for (size_t i = 0; i < linears.size(); ++i) {
      if (!linears[i]) continue;
      block.ReplaceLinear(
          i, std::make_unique<nn::HeldLinear>(nn::ChannelMajor(quant::EffectiveWeight(*linears[i])),
                                              std::vector<float>{}));
    }
    Matrix hidden = held_out_input_;
    block.Forward({.count = hidden.rows() / kLength, .length = kLength}, rope_, hidden);
    return loss_.Value(hidden, held_out_target_);
  }

  Matrix Inputs(int64_t sequences, uint64_t seed) const {
    Rng rng(seed);
    std::vector<int32_t> ids(static_cast<size_t>(sequences * kLength));
    for (int32_t& id : ids) id = static_cast<int32_t>(rng.Below(2000));
    return model_.Embed(ids);
  }

  Matrix Output(Matrix hidden) const {
    model_.block(0).Forward({.count = hidden.rows() / kLength, .length = kLength}, rope_, hidden);
    return hidden;
  }

  static BlockTuningOptions TwoStages() {
    return {
        .stages = {{{.epochs = 2, .learned_grids = true, .angles = 1e-3, .column_scales = 1e-3},
                    {.epochs = 2, .learned_grids = true, .weights = 2e-2, .grid_scales = 1e-3}}},
        .batch_sequences = 4};
  }

  runtime::LanguageModel model_;
  nn::RopeTables rope_;
  Matrix input_, target_, held_out_input_, held_out_target_;
  BlockLoss loss_;
  nn::PerLinear<TuningLinear> linears_;
};

TEST_F(BlockTuningTest, LowersTheHeldOutLossOfTheBlockAsItIsStored) {
  const TunedBlock tuned = Tune(TwoStages());
  EXPECT_TRUE(tuned.summary.accepted);
  EXPECT_EQ(tuned.summary.epochs.size(), 4);
  EXPECT_LT(tuned.summary.loss, 0.96 * tuned.summary.start_loss);
  EXPECT_NEAR(Loss(tuned.linears), tuned.summary.loss, 1e-5 * tuned.summary.loss);
  for (const auto& linear : tuned.linears) EXPECT_EQ(quant::Problem(*linear), "");
}

TEST_F(BlockTuningTest, LowersALossWeightedByCurvature) {
  MatrixD curvature = MatrixD::Identity(held_out_target_.cols(), held_out_target_.cols());
  curvature.topLeftCorner(8, 8).setConstant(100);  // some outputs matter, by their sum
  const auto by_smooth_l1 = Tune(TwoStages()).linears;
  loss_ = BlockLoss(curvature);
  const TunedBlock tuned = Tune(TwoStages());
  EXPECT_TRUE(tuned.summary.accepted);
  EXPECT_LT(tuned.summary.loss, 0.99 * Loss(by_smooth_l1));
  EXPECT_LT(tuned.summary.loss, 0.96 * tuned.summary.start_loss);
  EXPECT_NEAR(Loss(tuned.linears), tuned.summary.loss, 1e-5 * tuned.summary.loss);
}

TEST_F(BlockTuningTest, KeepsTheStartIfNothingIsBetter) {
  BlockTuningOptions options = TwoStages();
  for (TuningStage& stage : options.stages)
    stage = {.epochs = 1, .learned_grids = true, .weights = 50};
  const TunedBlock tuned = Tune(options);
  EXPECT_FALSE(tuned.summary.accepted);
  EXPECT_EQ(tuned.summary.loss, tuned.summary.start_loss);
  EXPECT_GT(tuned.summary.epochs.front().held_out_loss, tuned.summary.start_loss);
  for (size_t i = 0; i < linears_.size(); ++i) {
    EXPECT_EQ(tuned.linears[i]->codes, linears_[i].start->codes);
    EXPECT_EQ(tuned.linears[i]->scales, linears_[i].start->scales);
  }
}

TEST_F(BlockTuningTest, LinearsWithoutAStartStayAsTheyAre) {
  const size_t down = linears_.size() - 1;
  linears_[down].start.reset();
  const TunedBlock tuned = Tune(TwoStages());
  EXPECT_FALSE(tuned.linears[down].has_value());
  EXPECT_LT(tuned.summary.loss, tuned.summary.start_loss);
  EXPECT_NEAR(Loss(tuned.linears), tuned.summary.loss, 1e-5 * tuned.summary.loss);
}

TEST_F(BlockTuningTest, ThePapersStagesWorkFromTheIdentity) {
  BlockTuningOptions options{
      .stages = {{{.epochs = 2, .angles = 0.05, .column_scales = 0.05},
                  {.epochs = 1, .learned_grids = true, .weights = 1e-5, .grid_scales = 1e-6}}},
      .relative_rates = false,
      .keep_codes = false,
      .batch_sequences = 2};
  const TunedBlock tuned = Tune(options);
  EXPECT_LT(tuned.summary.loss, tuned.summary.start_loss);
}

TEST_F(BlockTuningTest, ThreadCountChangesNoBit) {
  const auto tune = [&](int threads) {
    SetThreadCount(threads);
    TunedBlock tuned = Tune(TwoStages());
    SetThreadCount(AvailableCores());
    return tuned;
  };
  const TunedBlock one = tune(1);
  const TunedBlock five = tune(5);
  EXPECT_EQ(one.summary.loss, five.summary.loss);
  for (size_t i = 0; i < one.linears.size(); ++i) {
    EXPECT_EQ(one.linears[i]->codes, five.linears[i]->codes);
    EXPECT_EQ(one.linears[i]->scales, five.linears[i]->scales);
    EXPECT_EQ(one.linears[i]->rotation.theta, five.linears[i]->rotation.theta);
    EXPECT_EQ(one.linears[i]->channel_scales, five.linears[i]->channel_scales);
  }
}

}  // namespace
}  // namespace paroquant::method
