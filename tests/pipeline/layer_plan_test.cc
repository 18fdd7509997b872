#include "paroquant/pipeline/layer_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "tests/testing/error_of.h"

namespace paroquant::pipeline {
namespace {

using ::testing::ElementsAre;
using testing::ErrorOf;
using ::testing::HasSubstr;

model::Architecture Shape(int64_t hidden, int64_t intermediate) {
  model::Architecture architecture;
  architecture.hidden_size = hidden;
  architecture.intermediate_size = intermediate;
  architecture.layers = 2;
  architecture.heads = 4;
  architecture.kv_heads = 2;
  architecture.head_dim = hidden / 4;
  return architecture;
}

// The plan of the first block's MLP in a model whose down_proj has N = hidden, K = intermediate.
LayerPlan DownPlan(int64_t hidden, int64_t intermediate, const QuantizeOptions& options) {
  for (const LayerPlan& plan : PlanLayers(Shape(hidden, intermediate), options)) {
    if (plan.info.role == model::LinearRole::kDown) return plan;
  }
  return {};
}

TEST(LayerPlanTest, EveryLinearIsPlannedInTheOrderOfAForwardPass) {
  const std::vector<LayerPlan> plans = PlanLayers(Shape(256, 512), {});
  ASSERT_EQ(plans.size(), 14U);
  for (size_t i = 0; i < plans.size(); ++i) {
    EXPECT_EQ(plans[i].layer, static_cast<int64_t>(i / 7));
    EXPECT_EQ(plans[i].index, i % 7);
    EXPECT_EQ(plans[i].number, i);
    EXPECT_TRUE(plans[i].quantized) << plans[i].info.name;
    EXPECT_EQ(plans[i].reason, "");
    EXPECT_EQ(plans[i].bits, 4);
    EXPECT_EQ(plans[i].group_size, 128);
  }
  EXPECT_EQ(plans[8].info.name, "model.layers.1.self_attn.k_proj");
  EXPECT_EQ(plans[8].info.out_features, 128);
  EXPECT_EQ(plans[8].info.in_features, 256);
}

TEST(LayerPlanTest, GroupsShrinkUntilTheyDivideTheInputs) {
  struct GroupCase {
    int64_t in_features;
    int asked;
    bool quantized;
    int group_size;
    std::string reason;
  };
  for (const GroupCase& c : std::vector<GroupCase>{
           {384, 128, true, 128, ""},
           {192, 128, true, 64, "group size 64, as K = 192 does not divide by 128"},
           {96, 128, true, 32, "group size 32, as K = 96 does not divide by 128"},
           {352, 64, true, 32, "group size 32, as K = 352 does not divide by 64"},
           {192, 64, true, 64, ""},
           {256, 32, true, 32, ""},
           {172, 128, false, 128, "K = 172 divides by no group size up to 128"},
           {80, 32, false, 32, "K = 80 divides by no group size up to 32"}}) {
    const LayerPlan plan = DownPlan(256, c.in_features, {.recipe = {.group_size = c.asked}});
    EXPECT_EQ(plan.quantized, c.quantized) << c.in_features;
    EXPECT_EQ(plan.group_size, c.group_size) << c.in_features;
    EXPECT_EQ(plan.reason, c.reason);
  }
}

// With a target, a layer that the engine could not load in smaller groups stays in 16 bits.
TEST(LayerPlanTest, GroupsThatTheTargetDoesNotTakeAreNoChoice) {
  QuantizeOptions options{.target = "vllm"};
  LayerPlan plan = DownPlan(256, 192, options);
  EXPECT_FALSE(plan.quantized);
  EXPECT_EQ(plan.reason, "K = 192 divides by no group size up to 128 that vllm takes");
  EXPECT_TRUE(DownPlan(256, 384, options).quantized);
  options.target = "mlx";
  plan = DownPlan(256, 192, options);
  EXPECT_TRUE(plan.quantized);
  EXPECT_EQ(plan.group_size, 64);
  options = {.format = format::FormatKind::kDense, .target = "vllm"};  // loads everywhere
  EXPECT_EQ(DownPlan(256, 192, options).group_size, 64);
}

TEST(LayerPlanTest, OutputsThatFillNoWordsAreKept) {
  struct WordCase {
    int bits;
    int64_t fits;
    int64_t does_not;
    std::string reason;
  };
  for (const WordCase& c : std::vector<WordCase>{{2, 48, 40, "N = 40 is no multiple of 16"},
                                                 {3, 96, 80, "N = 80 is no multiple of 32"},
                                                 {4, 24, 12, "N = 12 is no multiple of 8"},
                                                 {8, 12, 10, "N = 10 is no multiple of 4"}}) {
    EXPECT_TRUE(DownPlan(c.fits, 256, {.recipe = {.bits = c.bits}}).quantized) << c.bits;
    const LayerPlan kept = DownPlan(c.does_not, 256, {.recipe = {.bits = c.bits}});
    EXPECT_FALSE(kept.quantized) << c.bits;
    EXPECT_EQ(kept.reason, c.reason);
  }
}

TEST(LayerPlanTest, SkippedLayersAreKeptWhateverElseHolds) {
  const QuantizeOptions options{.skip = {"layers\\.1\\..*_proj$", "down"},
                                .overrides = {{.pattern = "down", .bits = 8, .group_size = {}}}};
  for (const LayerPlan& plan : PlanLayers(Shape(256, 192), options)) {
    const bool skipped = plan.layer == 1 || plan.info.role == model::LinearRole::kDown;
    EXPECT_EQ(plan.quantized, !skipped) << plan.info.name;
    EXPECT_EQ(plan.reason, skipped ? "named by --skip" : "") << plan.info.name;
  }
}

TEST(LayerPlanTest, OverridesOfSeveralSettingsAddUp) {
  const QuantizeOptions options{
      .recipe = {.bits = 4, .group_size = 128},
      .overrides = {{.pattern = "mlp", .bits = 8, .group_size = {}},
                    {.pattern = "up_proj|down_proj", .bits = 8, .group_size = 64},
                    {.pattern = "q_proj", .bits = 2, .group_size = {}}}};
  std::map<std::string, std::pair<int, int>> found;
  for (const LayerPlan& plan : PlanLayers(Shape(256, 512), options)) {
    EXPECT_TRUE(plan.quantized);
    found[plan.info.name] = {plan.bits, plan.group_size};
  }
  EXPECT_EQ(found.at("model.layers.0.self_attn.q_proj"), std::pair(2, 128));
  EXPECT_EQ(found.at("model.layers.0.self_attn.o_proj"), std::pair(4, 128));
  EXPECT_EQ(found.at("model.layers.0.mlp.gate_proj"), std::pair(8, 128));
  EXPECT_EQ(found.at("model.layers.1.mlp.up_proj"), std::pair(8, 64));
}

TEST(LayerPlanTest, OverridesThatContradictEachOtherAreNamedWithTheLayer) {
  for (const auto& [overrides, found] :
       std::vector<std::pair<std::vector<LayerOverride>, std::string>>{
           {{{.pattern = "mlp", .bits = 8, .group_size = {}},
             {.pattern = "up_proj", .bits = 2, .group_size = {}}},
            R"(8 by "mlp" and 2 by "up_proj")"},
           {{{.pattern = "up", .bits = 8, .group_size = 32},
             {.pattern = "mlp", .bits = 8, .group_size = 64}},
            R"(32 by "up" and 64 by "mlp")"}}) {
    const QuantizeOptions options{.overrides = overrides};
    const Error error = ErrorOf([&] { PlanLayers(Shape(256, 512), options); });
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_EQ(error.parts().where, "--override");
    EXPECT_THAT(error.parts().expected, HasSubstr("model.layers.0.mlp.up_proj"));
    EXPECT_EQ(error.parts().found, found);
  }
}

// The override decides what must divide and what must fill words.
TEST(LayerPlanTest, ShapesAreJudgedByTheOverriddenSettings) {
  const std::vector<LayerOverride> eight = {{.pattern = ".", .bits = 8, .group_size = {}}};
  EXPECT_FALSE(DownPlan(12, 256, {}).quantized);
  EXPECT_TRUE(DownPlan(12, 256, {.overrides = eight}).quantized);
  const std::vector<LayerOverride> small = {{.pattern = ".", .bits = {}, .group_size = 32}};
  EXPECT_NE(DownPlan(256, 96, {}).reason, "");
  EXPECT_EQ(DownPlan(256, 96, {.overrides = small}).reason, "");
}

TEST(LayerPlanTest, BadPatternsAreUsageErrorsThatNameTheOption) {
  for (const char* pattern : {"(", "[a-", "*", "a{2,1}", "nothing_like_this", "^mlp"}) {
    const Error skip = ErrorOf([&] { PlanLayers(Shape(256, 512), {.skip = {"down", pattern}}); });
    EXPECT_EQ(skip.kind(), ErrorKind::kUsage) << pattern;
    EXPECT_THAT(skip.parts().where, HasSubstr("--skip"));
    EXPECT_THAT(skip.what(), HasSubstr(pattern));
    const Error other = ErrorOf([&] {
      PlanLayers(Shape(256, 512),
                 {.overrides = {{.pattern = pattern, .bits = 8, .group_size = {}}}});
    });
    EXPECT_EQ(other.kind(), ErrorKind::kUsage) << pattern;
    EXPECT_THAT(other.parts().where, HasSubstr("--override"));
  }
}

TEST(QuantizeOptionsTest, ValuesOutOfRangeNameTheirOption) {
  struct BadOption {
    const char* option;
    void (*spoil)(QuantizeOptions&);
  };
  const std::vector<BadOption> cases = {
      {"--shard-size", [](QuantizeOptions& o) { o.shard_size = 1000; }},
      {"--override",
       [](QuantizeOptions& o) { o.overrides = {{.pattern = ".", .bits = 5, .group_size = {}}}; }},
      {"--override",
       [](QuantizeOptions& o) { o.overrides = {{.pattern = ".", .bits = {}, .group_size = 16}}; }}};
  for (const BadOption& c : cases) {
    QuantizeOptions options;
    EXPECT_NO_THROW(options.Validate());
    c.spoil(options);
    const Error error = ErrorOf([&] { options.Validate(); });
    EXPECT_EQ(error.kind(), ErrorKind::kUsage) << c.option;
    EXPECT_EQ(error.parts().where, c.option);
  }
}

// Two experts a layer, in groups of 128.
model::Architecture ExpertShape() {
  model::Architecture architecture = Shape(256, 512);
  architecture.experts = {.count = 2,
                          .per_token = 1,
                          .intermediate_size = 256,
                          .normalized = true,
                          .layers = {true, true},
                          .module = "mlp",
                          .gate = "gate_proj",
                          .up = "up_proj",
                          .down = "down_proj"};
  return architecture;
}

TEST(LayerPlanTest, ExpertsShareABasisForEachKindOfInput) {
  QuantizeOptions options;
  const std::vector<LayerPlan> plans = PlanLayers(ExpertShape(), options);
  std::vector<int> groups;
  const std::span<const LayerPlan> second = ByBlock(plans)[1];
  for (const LayerPlan& plan : second) groups.push_back(plan.basis_group);
  EXPECT_THAT(groups, ElementsAre(-1, -1, -1, -1, 0, 0, 1, 0, 0, 1));
  options.recipe.layer.share_expert_rotations = false;
  for (const LayerPlan& plan : PlanLayers(ExpertShape(), options)) {
    EXPECT_EQ(plan.basis_group, -1);
  }
}

TEST(LayerPlanTest, ExpertsThatShareABasisNeedOneGroupSize) {
  QuantizeOptions options{
      .overrides = {{.pattern = "1.mlp.experts.1.up", .bits = {}, .group_size = 64}}};
  const Error error = ErrorOf([&] { PlanLayers(ExpertShape(), options); });
  EXPECT_EQ(error.kind(), ErrorKind::kUsage);
  EXPECT_THAT(error.parts().found, HasSubstr("model.layers.1.mlp.experts.1.up_proj"));
  options.recipe.layer.share_expert_rotations = false;
  EXPECT_EQ(PlanLayers(ExpertShape(), options).size(), 20U);
}

}  // namespace
}  // namespace paroquant::pipeline
