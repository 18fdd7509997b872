#include "paroquant/model/architecture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "paroquant/io/json.h"
#include "paroquant/model/tensors.h"
#include "tests/model/fixtures.h"
#include "tests/testing/error_of.h"

namespace paroquant::model {
namespace {

using paroquant::testing::ErrorOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::MinimalConfig;
using testing::With;

using Windows = std::vector<int64_t>;

Architecture Parse(const io::Json& config) { return ParseArchitecture(config, "config.json"); }

TEST(ArchitectureTest, AbsentKeysHaveDefaults) {
  const Architecture architecture = Parse(MinimalConfig("llama"));
  EXPECT_EQ(architecture.model_type, "llama");
  EXPECT_EQ(architecture.vocab_size, 100);
  EXPECT_EQ(architecture.hidden_size, 64);
  EXPECT_EQ(architecture.intermediate_size, 96);
  EXPECT_EQ(architecture.layers, 4);
  EXPECT_EQ(architecture.heads, 4);
  EXPECT_EQ(architecture.kv_heads, 4);
  EXPECT_EQ(architecture.head_dim, 16);
  EXPECT_EQ(architecture.max_positions, 2048);
  EXPECT_EQ(architecture.norm_epsilon, 1e-6);
  EXPECT_FALSE(architecture.tied_embeddings);
  EXPECT_EQ(architecture.rope.theta, 10000.0);
  EXPECT_EQ(architecture.rope.scaling, RopeScaling::kNone);
  EXPECT_EQ(architecture.windows, Windows(4, 0));
  EXPECT_FALSE(architecture.bos_token_id.has_value());
  EXPECT_THAT(architecture.eos_token_ids, IsEmpty());
}

TEST(ArchitectureTest, ReadsWhatIsThere) {
  const Architecture architecture =
      Parse(With(MinimalConfig("llama"), {{"num_key_value_heads", 2},
                                          {"head_dim", 24},
                                          {"max_position_embeddings", 4096},
                                          {"rms_norm_eps", 1e-5},
                                          {"tie_word_embeddings", true},
                                          {"bos_token_id", 7},
                                          {"eos_token_id", {8, 9}}}));
  EXPECT_EQ(architecture.kv_heads, 2);
  EXPECT_EQ(architecture.head_dim, 24);
  EXPECT_EQ(architecture.max_positions, 4096);
  EXPECT_EQ(architecture.norm_epsilon, 1e-5);
  EXPECT_TRUE(architecture.tied_embeddings);
  EXPECT_EQ(architecture.bos_token_id, 7);
  EXPECT_THAT(architecture.eos_token_ids, ElementsAre(8, 9));
  EXPECT_THAT(Parse(With(MinimalConfig("llama"), {{"eos_token_id", 5}})).eos_token_ids,
              ElementsAre(5));
}

TEST(ArchitectureTest, NullCountsAsAbsent) {
  const Architecture architecture =
      Parse(With(MinimalConfig("llama"), {{"num_key_value_heads", nullptr},
                                          {"head_dim", nullptr},
                                          {"rope_scaling", nullptr},
                                          {"bos_token_id", nullptr},
                                          {"eos_token_id", nullptr}}));
  EXPECT_FALSE(
      Parse(With(MinimalConfig("llama"), {{"bos_token_id", -1}})).bos_token_id.has_value());
  EXPECT_EQ(architecture.kv_heads, 4);
  EXPECT_EQ(architecture.head_dim, 16);
  EXPECT_FALSE(architecture.bos_token_id.has_value());
  EXPECT_THAT(architecture.eos_token_ids, IsEmpty());
}

// What the families' implementations in transformers do.
TEST(ArchitectureTest, FamiliesDifferInTheirFeatures) {
  struct FamilyCase {
    io::Json config;
    bool qkv_bias;
    bool attention_output_bias;
    bool mlp_bias;
    bool query_key_norm;
    int64_t head_dim;
  };
  const auto biased = [](const char* model_type) {
    return With(MinimalConfig(model_type), {{"attention_bias", true}, {"mlp_bias", true}});
  };
  const std::vector<FamilyCase> cases = {
      {MinimalConfig("llama"), false, false, false, false, 16},
      {biased("llama"), true, true, true, false, 16},
      {MinimalConfig("mistral"), false, false, false, false, 16},
      {biased("mistral"), false, false, false, false, 16},
      {MinimalConfig("qwen2"), true, false, false, false, 16},
      {biased("qwen2"), true, false, false, false, 16},
      {MinimalConfig("qwen3"), false, false, false, true, 128},
      {biased("qwen3"), true, true, false, true, 128},
      {With(MinimalConfig("qwen3"), {{"head_dim", 32}}), false, false, false, true, 32},
  };
  for (const FamilyCase& c : cases) {
    const Architecture architecture = Parse(c.config);
    EXPECT_EQ(architecture.qkv_bias, c.qkv_bias) << c.config;
    EXPECT_EQ(architecture.attention_output_bias, c.attention_output_bias) << c.config;
    EXPECT_EQ(architecture.mlp_bias, c.mlp_bias) << c.config;
    EXPECT_EQ(architecture.query_key_norm != QueryKeyNorm::kNone, c.query_key_norm) << c.config;
    EXPECT_EQ(architecture.head_dim, c.head_dim) << c.config;
  }
}

TEST(ArchitectureTest, SlidingWindowsFollowTheFamily) {
  struct WindowCase {
    std::string model_type;
    io::Json changes;
    Windows windows;
  };
  const io::Json types = {"full_attention", "sliding_attention", "sliding_attention",
                          "full_attention"};
  const std::vector<WindowCase> cases = {
      {"llama", {{"sliding_window", 8}}, {0, 0, 0, 0}},
      {"mistral", {{"sliding_window", 8}}, {8, 8, 8, 8}},
      {"mistral", {{"sliding_window", nullptr}}, {0, 0, 0, 0}},
      {"mistral", io::Json::object(), {4096, 4096, 4096, 4096}},
      {"qwen2", {{"sliding_window", 8}}, {0, 0, 0, 0}},
      {"qwen2", {{"sliding_window", 8}, {"use_sliding_window", false}}, {0, 0, 0, 0}},
      {"qwen2",
       {{"sliding_window", 8}, {"use_sliding_window", true}, {"max_window_layers", 3}},
       {0, 0, 0, 8}},
      {"qwen2", {{"sliding_window", 8}, {"use_sliding_window", true}}, {0, 0, 0, 0}},
      {"qwen3", {{"use_sliding_window", true}, {"max_window_layers", 2}}, {0, 0, 4096, 4096}},
      {"qwen3",
       {{"sliding_window", nullptr}, {"use_sliding_window", true}, {"max_window_layers", 2}},
       {0, 0, 0, 0}},
      {"qwen3", {{"sliding_window", 8}, {"layer_types", types}}, {0, 8, 8, 0}},
      {"mistral", {{"sliding_window", 8}, {"layer_types", types}}, {0, 8, 8, 0}},
      {"qwen2",
       {{"sliding_window", 8},
        {"use_sliding_window", true},
        {"max_window_layers", 1},
        {"layer_types", types}},
       {0, 8, 8, 0}},
  };
  for (const WindowCase& c : cases) {
    EXPECT_EQ(Parse(With(MinimalConfig(c.model_type), c.changes)).windows, c.windows)
        << c.model_type << c.changes;
  }
}

TEST(ArchitectureTest, BadValuesNameTheirKey) {
  struct BadValue {
    const char* key;
    io::Json value;
    io::Json others = io::Json::object();
  };
  const io::Json kFull = "full_attention";
  const std::vector<BadValue> cases = {
      {"vocab_size", 0},
      {"vocab_size", "100"},
      {"vocab_size", nullptr},
      {"hidden_size", -64},
      {"hidden_size", 64.5},
      {"hidden_size", 18446744073709551615U},
      {"hidden_size", 9223372036854775808U},
      {"hidden_size", 1e308},
      {"num_hidden_layers", -1},
      {"num_attention_heads", 1.5},
      {"rms_norm_eps", 1e308},
      {"intermediate_size", int64_t{1} << 40},
      {"num_hidden_layers", 0},
      {"num_hidden_layers", 100'000},
      {"num_attention_heads", 0},
      {"num_key_value_heads", 0},
      {"num_key_value_heads", 3},
      {"num_key_value_heads", 8},
      {"head_dim", 0},
      {"head_dim", 15},
      {"head_dim", -16},
      {"max_position_embeddings", 0},
      {"rms_norm_eps", "small"},
      {"rms_norm_eps", -1e-6},
      {"tie_word_embeddings", 1},
      {"hidden_act", 3},
      {"bos_token_id", "1"},
      {"bos_token_id", 100},
      {"bos_token_id", -2},
      {"bos_token_id", (int64_t{1} << 32) + 1},
      {"eos_token_id", {1, 2.5}},
      {"eos_token_id", "2"},
      {"eos_token_id", (int64_t{1} << 32) + 1},
      {"layer_types", kFull},
      {"layer_types", {kFull, kFull, kFull}},
      {"sliding_window", -1, {{"model_type", "mistral"}}},
      {"sliding_window", 0, {{"layer_types", {kFull, kFull, kFull, "sliding_attention"}}}},
      {"sliding_window", nullptr, {{"layer_types", {kFull, kFull, kFull, "sliding_attention"}}}},
  };
  for (const BadValue& c : cases) {
    const io::Json config = With(With(MinimalConfig("llama"), c.others), {{c.key, c.value}});
    SCOPED_TRACE(config.dump());
    const Error error = ErrorOf([&] { Parse(config); });
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_EQ(error.parts().where, std::string("config.json: ") + c.key);
  }
}

TEST(ArchitectureTest, BadValuesOfAFamilysOwnKeysNameThem) {
  struct BadValue {
    const char* model_type;
    io::Json changes;
    const char* key;
  };
  const io::Json moe = {{"num_experts", 8},
                        {"num_experts_per_tok", 2},
                        {"moe_intermediate_size", 32},
                        {"head_dim", 16}};
  const auto with = [&](const char* key, const io::Json& value) {
    return With(moe, {{key, value}});
  };
  const auto long_rope = [](const io::Json& factors) {
    return io::Json{{"rope_scaling",
                     {{"type", "longrope"}, {"short_factor", factors}, {"long_factor", factors}}}};
  };
  const std::vector<BadValue> cases = {
      {"qwen3_moe", with("mlp_only_layers", "0"), "mlp_only_layers"},
      {"qwen3_moe", with("mlp_only_layers", {4}), "mlp_only_layers"},
      {"qwen3_moe", with("decoder_sparse_step", 0), "decoder_sparse_step"},
      {"qwen3_moe", with("num_experts", 0), "num_experts"},
      {"qwen3_moe", with("num_experts", int64_t{1} << 40), "num_experts"},
      {"qwen3_moe", with("num_experts_per_tok", 9), "num_experts_per_tok"},
      {"qwen3_moe", with("moe_intermediate_size", -1), "moe_intermediate_size"},
      {"qwen3_moe", With(with("num_experts", 4096), {{"num_hidden_layers", 100}}),
       "num_hidden_layers"},
      {"mixtral", io::Json::object(), "num_local_experts"},
      {"smollm3", {{"no_rope_layers", 1}}, "no_rope_layers"},
      {"smollm3", {{"no_rope_layers", {1, 0}}}, "no_rope_layers"},
      {"smollm3", {{"no_rope_layer_interval", 0}}, "no_rope_layer_interval"},
      {"gemma2", {{"query_pre_attn_scalar", 0}}, "query_pre_attn_scalar"},
      {"gemma2", {{"attn_logit_softcapping", -1.0}}, "attn_logit_softcapping"},
      {"gemma3_text", {{"sliding_window_pattern", 0}}, "sliding_window_pattern"},
      {"gemma3_text",
       {{"rope_parameters", {{"sliding_attention", {{"partial_rotary_factor", 0.004}}}}}},
       "partial_rotary_factor"},
      {"granite", {{"logits_scaling", 0}}, "logits_scaling"},
      {"phi3", {{"partial_rotary_factor", 1.5}}, "partial_rotary_factor"},
      {"phi3", {{"partial_rotary_factor", 0.05}}, "partial_rotary_factor"},
      {"phi3", long_rope({1.0, 2.0}), "rope_scaling"},
      {"phi3", long_rope("1"), "rope_scaling: short_factor"},
      {"phi3", long_rope({1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0}), "rope_scaling: short_factor"},
  };
  for (const BadValue& c : cases) {
    SCOPED_TRACE(std::string(c.model_type) + c.changes.dump());
    const Error error = ErrorOf([&] { Parse(With(MinimalConfig(c.model_type), c.changes)); });
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_EQ(error.parts().where, std::string("config.json: ") + c.key);
  }
}

TEST(ArchitectureTest, TheLanguageModelsSettingsMayBeAPart) {
  io::Json part = MinimalConfig("gemma3_text");
  part.erase("num_attention_heads");  // published configs leave that out
  const Architecture found = Parse({{"model_type", "gemma3"},
                                    {"eos_token_id", {1, 9}},
                                    {"text_config", part},
                                    {"vision_config", {{"hidden_size", 7}}}});
  EXPECT_EQ(found.model_type, "gemma3_text");
  EXPECT_EQ(found.hidden_size, 64);
  EXPECT_EQ(found.heads, 8);
  EXPECT_EQ(found.windows.front(), 4096);
  EXPECT_THAT(found.eos_token_ids, ElementsAre(1, 9));
  part["hidden_size"] = 0;
  const Error error = ErrorOf([&] { Parse({{"text_config", part}}); });
  EXPECT_EQ(error.parts().where, "config.json: text_config: hidden_size");
}

TEST(ArchitectureTest, KeysThatEveryModelNeedsAreRequired) {
  for (const char* key : {"model_type", "vocab_size", "hidden_size", "intermediate_size",
                          "num_hidden_layers", "num_attention_heads"}) {
    io::Json config = MinimalConfig("llama");
    config.erase(key);
    const Error error = ErrorOf([&] { Parse(config); });
    EXPECT_EQ(error.kind(), ErrorKind::kInput) << key;
    EXPECT_EQ(error.parts().where, std::string("config.json: ") + key);
    EXPECT_EQ(error.parts().found, "nothing");
  }
  EXPECT_EQ(ErrorOf([] { Parse(io::Json::array()); }).kind(), ErrorKind::kInput);
}

TEST(ArchitectureTest, WhatIsNotHandledIsNamedBesideWhatIs) {
  struct Unsupported {
    const char* key;
    io::Json value;
    const char* handled;
  };
  const io::Json kFull = "full_attention";
  for (const Unsupported& c : std::vector<Unsupported>{
           {"model_type", "mamba",
            "one of gemma, gemma2, gemma3_text, granite, llama, mistral, mixtral, olmo2, "
            "phi3, qwen2, qwen3, qwen3_moe, qwen3_vl_moe_text, qwen3_vl_text, smollm3"},
           {"hidden_act", "gelu", "silu or gelu_pytorch_tanh"},
           {"layer_types",
            {kFull, kFull, kFull, "chunked_attention"},
            "full_attention or sliding_attention"}}) {
    const Error error = ErrorOf([&] { Parse(With(MinimalConfig("llama"), {{c.key, c.value}})); });
    EXPECT_EQ(error.kind(), ErrorKind::kUnsupported) << c.key;
    EXPECT_EQ(error.parts().where, std::string("config.json: ") + c.key);
    EXPECT_EQ(error.parts().expected, c.handled);
    const io::Json& refused = c.value.is_array() ? c.value.back() : c.value;
    EXPECT_EQ(error.parts().found, refused.dump());
  }
}

TEST(ArchitectureTest, LinearsHaveTheShapesOfTheHeads) {
  const Architecture architecture =
      Parse(With(MinimalConfig("qwen3"),
                 {{"num_key_value_heads", 2}, {"head_dim", 32}, {"attention_bias", true}}));
  struct Expected {
    const char* name;
    int64_t out;
    int64_t in;
    bool bias;
  };
  const std::array<Expected, 7> expected = {{{"self_attn.q_proj", 128, 64, true},
                                             {"self_attn.k_proj", 64, 64, true},
                                             {"self_attn.v_proj", 64, 64, true},
                                             {"self_attn.o_proj", 64, 128, true},
                                             {"mlp.gate_proj", 96, 64, false},
                                             {"mlp.up_proj", 96, 64, false},
                                             {"mlp.down_proj", 64, 96, false}}};
  const std::vector<LinearInfo> linears = DescribeLinears(architecture, 3);
  ASSERT_EQ(linears.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    const LinearInfo& info = linears[i];
    EXPECT_EQ(info.name, std::string("model.layers.3.") + expected[i].name);
    EXPECT_EQ(info.out_features, expected[i].out) << info.name;
    EXPECT_EQ(info.in_features, expected[i].in) << info.name;
    EXPECT_EQ(info.bias, expected[i].bias) << info.name;
  }
}

// A misspelled key would otherwise leave the default in force, and nobody would know.
TEST(ArchitectureTest, MistypedKeysAreRefused) {
  struct Mistyped {
    io::Json settings;
    std::string message;
  };
  for (const Mistyped& c : std::vector<Mistyped>{
           {{{"rope_teta", 5e5}}, "config.json: rope_teta: expected a key that is read"},
           {{{"rms_norm_epz", 1e-5}}, "Did you mean rms_norm_eps?"},
           {{{"num_key_value_head", 2}}, "Did you mean num_key_value_heads?"},
           {{{"rope_scaling", {{"rope_tpye", "yarn"}, {"factor", 4.0}}}},
            "config.json: rope_scaling: rope_tpye: "},
           {{{"rope_scalling", {{"rope_type", "yarn"}}}}, "Did you mean rope_scaling?"}}) {
    const Error error = ErrorOf([&] { Parse(With(MinimalConfig("llama"), c.settings)); });
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_THAT(error.what(), HasSubstr(c.message));
  }
}

TEST(ArchitectureTest, KeysOfOtherReadersAreLeftAlone) {
  Parse(With(MinimalConfig("llama"), {{"rope_theta", 1e4},
                                      {"rope_thetas", {1e4, 1e5}},  // beside the one that is read
                                      {"cls_token_id", 3},          // near eos_token_id
                                      {"eot_token_id", 3},
                                      {"boi_token_id", 3},
                                      {"", 1},
                                      {"my_own_key", {{"rms_norm_epz", 1}}}}));
}

TEST(ArchitectureTest, AMistypedKeyThatIsNeededIsNamed) {
  io::Json config = MinimalConfig("llama");
  config["hidden_sise"] = config.at("hidden_size");
  config.erase("hidden_size");
  EXPECT_THAT(ErrorOf([&] { Parse(config); }).what(),
              HasSubstr("config.json: hidden_size: expected an integer, found nothing, but a key "
                        "hidden_sise."));
}

TEST(ArchitectureTest, TiedHeadIsTheEmbedding) {
  EXPECT_EQ(HeadName(Parse(MinimalConfig("llama"))), "lm_head.weight");
  EXPECT_EQ(HeadName(Parse(With(MinimalConfig("llama"), {{"tie_word_embeddings", true}}))),
            "model.embed_tokens.weight");
}

}  // namespace
}  // namespace paroquant::model
