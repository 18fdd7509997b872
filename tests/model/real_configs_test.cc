// The settings of published models.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>
#include <vector>

#include "paroquant/io/json.h"
#include "paroquant/model/tensors.h"
#include "tests/testing/paths.h"

namespace paroquant::model {
namespace {

using paroquant::testing::SharedPath;
using ::testing::ElementsAre;

Architecture ParsePublished(const std::string& name) {
  const auto path = SharedPath("configs") / name / "config.json";
  return ParseArchitecture(io::ReadJsonFile(path), path.string());
}

// From the models' own descriptions.
struct Published {
  const char* name;
  int64_t layers;
  int64_t hidden;
  int64_t heads;
  int64_t kv_heads;
  int64_t head_dim;
  bool tied;
  double theta;
  RopeScaling scaling;
  double factor;
  size_t eos_ids;
};

constexpr std::array kPublished = {
    Published{"Llama-2-7b-chat-hf", 32, 4096, 32, 32, 128, false, 1e4, RopeScaling::kNone, 1, 1},
    Published{"Llama-3.1-8B-Instruct", 32, 4096, 32, 8, 128, false, 5e5, RopeScaling::kLlama3, 8,
              3},
    Published{"Llama-3.2-3B-Instruct", 28, 3072, 24, 8, 128, true, 5e5, RopeScaling::kLlama3, 32,
              3},
    Published{"Meta-Llama-3-8B-Instruct", 32, 4096, 32, 8, 128, false, 5e5, RopeScaling::kNone, 1,
              1},
    Published{"Mistral-7B-Instruct-v0.2", 32, 4096, 32, 8, 128, false, 1e6, RopeScaling::kNone, 1,
              1},
    Published{"Qwen2-1.5B-Instruct", 28, 1536, 12, 2, 128, true, 1e6, RopeScaling::kNone, 1, 1},
    Published{"Qwen2.5-7B-Instruct", 28, 3584, 28, 4, 128, false, 1e6, RopeScaling::kNone, 1, 1},
    Published{"Qwen3-4B", 36, 2560, 32, 8, 128, true, 1e6, RopeScaling::kNone, 1, 1},
    Published{"Qwen3-8B", 36, 4096, 32, 8, 128, false, 1e6, RopeScaling::kNone, 1, 1},
    Published{"SmolLM2-135M-Instruct", 30, 576, 9, 3, 64, true, 1e5, RopeScaling::kNone, 1, 1},
};

TEST(RealConfigsTest, SupportedFamiliesParse) {
  PAROQUANT_SKIP_WITHOUT_SHARED();
  for (const Published& expected : kPublished) {
    SCOPED_TRACE(expected.name);
    const Architecture found = ParsePublished(expected.name);
    EXPECT_EQ(found.layers, expected.layers);
    EXPECT_EQ(found.hidden_size, expected.hidden);
    EXPECT_EQ(found.heads, expected.heads);
    EXPECT_EQ(found.kv_heads, expected.kv_heads);
    EXPECT_EQ(found.head_dim, expected.head_dim);
    EXPECT_EQ(found.tied_embeddings, expected.tied);
    EXPECT_EQ(found.rope.theta, expected.theta);
    EXPECT_EQ(found.rope.scaling, expected.scaling);
    EXPECT_EQ(found.rope.factor, expected.factor);
    EXPECT_EQ(found.eos_token_ids.size(), expected.eos_ids);
    EXPECT_EQ(found.windows, std::vector<int64_t>(static_cast<size_t>(expected.layers), 0));
  }
}

TEST(RealConfigsTest, TheLanguageModelOfAModelOfSeveralPartsIsRead) {
  PAROQUANT_SKIP_WITHOUT_SHARED();
  const Architecture found = ParsePublished("Gemma-3-4b-it");
  EXPECT_EQ(found.model_type, "gemma3_text");
  EXPECT_EQ(found.layers, 34);
  EXPECT_EQ(found.hidden_size, 2560);
  EXPECT_EQ(found.intermediate_size, 10240);
  EXPECT_EQ(found.heads, 8);
  EXPECT_EQ(found.kv_heads, 4);
  EXPECT_EQ(found.head_dim, 256);
  EXPECT_EQ(found.vocab_size, 262208);
  EXPECT_TRUE(found.tied_embeddings);
  EXPECT_EQ(found.attention_scale, 1.0 / 16);
  EXPECT_EQ(found.rope.theta, 1e6);
  EXPECT_EQ(found.rope.scaling, RopeScaling::kLinear);
  EXPECT_EQ(found.local_rope.theta, 1e4);
  EXPECT_EQ(found.local_rope.scaling, RopeScaling::kNone);
  EXPECT_EQ(found.windows[4], 1024);
  EXPECT_EQ(found.windows[5], 0);
  EXPECT_EQ(found.rope_uses[4], RopeUse::kLocal);
  EXPECT_EQ(found.rope_uses[5], RopeUse::kGlobal);
  EXPECT_THAT(found.eos_token_ids, ElementsAre(1, 106));
}

TEST(RealConfigsTest, ExpertsOfAModelOfSeveralPartsLieInOneTensor) {
  PAROQUANT_SKIP_WITHOUT_SHARED();
  const Architecture found = ParsePublished("Qwen3-VL-30B-A3B-Instruct");
  EXPECT_EQ(found.layers, 48);
  EXPECT_EQ(found.experts.count, 128);
  EXPECT_EQ(found.experts.per_token, 8);
  EXPECT_EQ(found.experts.intermediate_size, 768);
  EXPECT_TRUE(found.experts.normalized);
  EXPECT_FALSE(found.tied_embeddings);
  const std::vector<LinearInfo> linears = DescribeLinears(found, 7);
  ASSERT_EQ(linears.size(), 4U + 3 * 128);
  const LinearInfo& up = linears[4 + 3 * 5 + 1];  // of expert 5
  EXPECT_EQ(up.name, "model.layers.7.mlp.experts.5.up_proj");
  EXPECT_EQ(up.WeightName(), "model.layers.7.mlp.experts.gate_up_proj");
  EXPECT_THAT(up.stacked->shape, ElementsAre(128, 2048, 1536));
  EXPECT_EQ(up.stacked->first, 5 * 2048 * 1536 + 768);
}

// Every name that the program makes up is one of the published checkpoint's, and none is left.
TEST(RealConfigsTest, TensorNamesAreThoseOfThePublishedIndex) {
  PAROQUANT_SKIP_WITHOUT_SHARED();
  const Architecture architecture = ParsePublished("Qwen3-4B");
  std::set<std::string> expected;
  for (const TensorInfo& tensor : DescribeOtherTensors(architecture)) expected.insert(tensor.name);
  for (int64_t layer = 0; layer < architecture.layers; ++layer) {
    for (const LinearInfo& info : DescribeLinears(architecture, layer)) {
      expected.insert(info.name + ".weight");
    }
  }
  std::set<std::string> found;
  const io::Json index =
      io::ReadJsonFile(SharedPath("configs/qwen3-4b-index/Qwen3-4B.model.safetensors.index.json"));
  for (const auto& [name, file] : index.at("weight_map").items()) found.insert(name);
  EXPECT_EQ(found, expected);
}

}  // namespace
}  // namespace paroquant::model
