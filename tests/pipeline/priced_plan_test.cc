#include "paroquant/pipeline/priced_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/testing/paths.h"

namespace paroquant::pipeline {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr uint64_t kPlenty = std::numeric_limits<int64_t>::max();

// A plan that gives no reason for a warning.
class PlanWarningsTest : public ::testing::Test {
 protected:
  PlanWarningsTest() { plan_.calibration = {.sequences = 128, .held_out = 8, .length = 2048}; }

  std::vector<std::string> Warnings() {
    plan_.layers = PlanLayers(architecture_, options_);
    return PlanWarnings(plan_, architecture_, options_, room_);
  }

  const model::Checkpoint source_ = model::Checkpoint::Open(testing::DataPath("tiny-llama"));
  model::Architecture architecture_ = source_.architecture();
  QuantizeOptions options_;
  PricedPlan plan_;
  FreeRoom room_{.memory = kPlenty, .disk = kPlenty};
};

TEST_F(PlanWarningsTest, ThereAreNoneWhereAllIsWell) { EXPECT_THAT(Warnings(), IsEmpty()); }

TEST_F(PlanWarningsTest, LayersWithOtherGroups) {
  architecture_.intermediate_size += 64;
  EXPECT_THAT(Warnings(), Contains(AllOf(HasSubstr("layers in groups of 64"), HasSubstr("K = "),
                                         HasSubstr("--target"))));
  architecture_.intermediate_size += 1;
  EXPECT_THAT(Warnings(), Contains(HasSubstr("left in 16 bits, as K = ")));
}

TEST_F(PlanWarningsTest, EnginesThatWouldNotLoadIt) {
  options_.recipe.group_size = 64;
  EXPECT_THAT(Warnings(),
              ElementsAre(HasSubstr("transformers would not load the result: "),
                          HasSubstr("vllm would not"), HasSubstr("gptqmodel would not")));
  options_.target = "mlx";
  EXPECT_THAT(Warnings(), IsEmpty());
}

TEST_F(PlanWarningsTest, TextThatIsShortBesideTheChannels) {
  const int64_t channels = DescribeLinears(architecture_, 0).back().in_features;
  plan_.calibration = {.sequences = 4, .held_out = 1, .length = channels};
  options_.recipe.sequence_length = channels;
  EXPECT_THAT(Warnings(), IsEmpty());
  plan_.calibration.sequences = 3;
  EXPECT_THAT(Warnings(), ElementsAre(AllOf(HasSubstr("down_proj"), HasSubstr("little more than"),
                                            HasSubstr("--calib-sequences 4 would"))));
  plan_.calibration = {.sequences = 1, .held_out = 1, .length = channels / 2};
  options_.recipe.sequence_length = channels / 2;
  EXPECT_THAT(Warnings(), ElementsAre(HasSubstr("fewer than")));
}

TEST_F(PlanWarningsTest, SequencesLongerThanTheModelsPositions) {
  const int64_t channels = DescribeLinears(architecture_, 0).back().in_features;
  plan_.calibration = {.sequences = 2, .held_out = 1, .length = channels};
  options_.recipe.sequence_length = 4 * channels;
  EXPECT_THAT(Warnings(), ElementsAre(AllOf(HasSubstr("positions of the model"),
                                            HasSubstr("--calib-sequences 8")),
                                      HasSubstr("little more than")));
  plan_.calibration.sequences = 4;  // enough tokens as it is
  EXPECT_THAT(Warnings(), IsEmpty());
}

TEST_F(PlanWarningsTest, MemoryAndDiskThatAreNotFree) {
  plan_.cost = {.memory_bytes = 5'000'000'000,
                .spilled_bytes = 1'000'000'000,
                .output_bytes = 2'000'000'000,
                .record_bytes = 3'000'000'000};
  room_ = {.memory = 5'000'000'000, .disk = 6'000'000'000};
  EXPECT_THAT(Warnings(), IsEmpty());
  room_ = {.memory = 4'999'999'999, .disk = 5'999'999'999};
  EXPECT_THAT(Warnings(),
              ElementsAre(AllOf(HasSubstr("5.00 GB of memory"), HasSubstr("--memory-budget")),
                          AllOf(HasSubstr("6.00 GB of disk"), HasSubstr("2.00 GB for the"),
                                HasSubstr("--out"))));
  options_.resume = true;
  EXPECT_THAT(Warnings(), ElementsAre(HasSubstr("5.00 GB of memory")));
}

TEST_F(PlanWarningsTest, RecipesThatLookAtNoTextNeedNone) {
  options_.recipe = method::LoadRecipe("rtn");
  plan_.calibration = {};
  EXPECT_THAT(Warnings(), IsEmpty());
}

}  // namespace
}  // namespace paroquant::pipeline
