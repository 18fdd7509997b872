// The settings of published models.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>
#include <vector>

#include "paroquant/io/json.h"
#include "paroquant/model/architecture.h"
#include "tests/testing/error_of.h"
#include "tests/testing/paths.h"

namespace paroquant::model {
namespace {

using paroquant::testing::ErrorOf;
using paroquant::testing::SharedPath;
using ::testing::HasSubstr;

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

TEST(RealConfigsTest, OtherFamiliesAreRefusedByName) {
  PAROQUANT_SKIP_WITHOUT_SHARED();
  for (const auto& [name, model_type] :
       {std::pair("Gemma-3-4b-it", "gemma3"), {"Qwen3-VL-30B-A3B-Instruct", "qwen3_vl_moe"}}) {
    const Error error = ErrorOf([&, folder = name] { ParsePublished(folder); });
    EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
    EXPECT_THAT(error.parts().found, HasSubstr(model_type));
    EXPECT_THAT(error.parts().expected, HasSubstr("llama, mistral, qwen2, qwen3"));
  }
}

// Every name that the program makes up is one of the published checkpoint's, and none is left.
TEST(RealConfigsTest, TensorNamesAreThoseOfThePublishedIndex) {
  PAROQUANT_SKIP_WITHOUT_SHARED();
  const Architecture architecture = ParsePublished("Qwen3-4B");
  std::set<std::string> expected = {EmbeddingName(), FinalNormName(), HeadName(architecture)};
  for (int64_t layer = 0; layer < architecture.layers; ++layer) {
    for (const LinearRole role : kLinearRoles) {
      expected.insert(DescribeLinear(architecture, layer, role).name + ".weight");
    }
    for (const char* norm : {"input_layernorm.weight", "post_attention_layernorm.weight",
                             "self_attn.q_norm.weight", "self_attn.k_norm.weight"}) {
      expected.insert(BlockTensorName(layer, norm));
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
