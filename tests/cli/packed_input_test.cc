// Quantized checkpoints of every layout that were spoilt: refused with a message that names the
// place, before anything is written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "paroquant/base/file.h"
#include "tests/cli/cli_process.h"
#include "tests/testing/edited_model.h"

namespace paroquant {
namespace {

namespace fs = std::filesystem;
using testing::CliResult;
using testing::EditableTensor;
using testing::GoldenPath;
using ::testing::HasSubstr;
using testing::kTinyLlama;
using testing::RunCli;
using testing::TemporaryFolder;
using testing::WriteEditedModel;

using Tensors = std::vector<EditableTensor>;
using EditTensors = std::function<void(Tensors&)>;
using EditConfig = std::function<void(io::Json&)>;

const std::string kModule = "model.layers.1.mlp.up_proj";

EditTensors Without(const std::string& name) {
  return [name](Tensors& tensors) {
    const auto removed = std::erase_if(tensors, [&](const auto& t) { return t.name == name; });
    ASSERT_EQ(removed, 1U) << name;
  };
}

// With extents in the other order.
EditTensors Turned(const std::string& name) {
  return [name](Tensors& tensors) {
    const auto found = std::ranges::find(tensors, name, &EditableTensor::name);
    ASSERT_NE(found, tensors.end()) << name;
    std::ranges::reverse(found->shape);
  };
}

// A key of quantization_config.
EditConfig Setting(const std::string& key, const io::Json& value) {
  return [key, value](io::Json& config) { config["quantization_config"][key] = value; };
}

EditConfig Key(const std::string& key, const io::Json& value) {
  return [key, value](io::Json& config) { config[key] = value; };
}

EditConfig NoSettings() {
  return [](io::Json& config) { config.erase("quantization_config"); };
}

struct SpoiltCase {
  const char* golden;
  EditTensors tensors;
  EditConfig config;
  int exit_code;
  std::string mentions;
};

// Each has what was expected and what was found in its message.
TEST(PackedInputTest, SpoiltCheckpointsAreRefusedByNameAndLeaveNothingBehind) {
  const auto keep = [](auto&) {};
  const EditConfig other_scheme = [](io::Json& config) {
    config["quantization_config"]["config_groups"]["group_0"]["weights"]["group_size"] = 96;
  };
  const std::vector<SpoiltCase> cases = {
      {"awq", Without(kModule + ".scales"), keep, 3, kModule + ".scales"},
      {"gptq", Without(kModule + ".qzeros"), keep, 3, kModule + ".qzeros"},
      {"compressed-tensors", Without(kModule + ".weight_shape"), keep, 3,
       kModule + ".weight_shape"},
      {"paroquant", Without(kModule + ".theta"), keep, 3, kModule + ".theta"},
      {"awq", Turned(kModule + ".scales"), keep, 3, kModule + ".scales"},
      {"gptq", Turned(kModule + ".scales"), keep, 3, kModule + ".scales"},
      {"compressed-tensors", Turned(kModule + ".weight_scale"), keep, 3, kModule + ".weight_scale"},
      {"paroquant", Turned(kModule + ".scales"), keep, 3, kModule + ".scales"},
      {"gptq", Without(kModule + ".g_idx"), Setting("desc_act", true), 3, kModule + ".g_idx"},
      {"awq", keep, Setting("group_size", 96), 3, "groups of 96 channels"},
      {"gptq", keep, Setting("group_size", 96), 3, "groups of 96 channels"},
      {"compressed-tensors", keep, other_scheme, 3, "groups of 96 channels"},
      {"awq", keep, Setting("bits", 3), 4, "bits"},
      {"gptq", keep, Setting("bits", 8), 3, "qweight"},
      {"gptq", keep, Setting("quant_method", "exl3"), 4, "exl3"},
      {"paroquant", keep, Setting("quant_method", nullptr), 3, "quant_method"},
      {"awq", keep, NoSettings(), 3, ".self_attn.q_proj"},
      {"gptq", keep, NoSettings(), 3, ".self_attn.q_proj"},
      {"awq", keep, Setting("quant_method", "gptq"), 3, ".self_attn.q_proj.qweight"},
      {"awq", keep, Key("num_hidden_layers", 3), 3, "model.layers.2."},
      {"gptq", keep, Key("hidden_size", 256), 3, "model.embed_tokens.weight"},
      {"compressed-tensors", keep, Key("model_type", "mamba"), 4, "mamba"},
  };
  for (const SpoiltCase& c : cases) {
    SCOPED_TRACE(std::string(c.golden) + ": " + c.mentions);
    const TemporaryFolder folder;
    const fs::path model = folder.path() / "model";
    WriteEditedModel(GoldenPath("packed") / c.golden, model, c.tensors, c.config);
    const fs::path ids = folder.path() / "ids.json";
    WriteFile(ids, R"({"input_ids": [1, 5, 9, 33, 120, 7, 88, 150]})");
    const CliResult result =
        RunCli({"eval-ppl", "--model", model.string(), "--data", ids.string(), "--window", "8"});
    EXPECT_EQ(result.exit_code, c.exit_code) << result.error;
    EXPECT_THAT(result.error, HasSubstr(c.mentions));
    EXPECT_THAT(result.error, HasSubstr("expected"));
    EXPECT_THAT(result.error, HasSubstr("found"));
    const CliResult converted = RunCli({"convert", "--model", model.string(), "--out",
                                        (folder.path() / "out").string(), "--format", "fp16"});
    EXPECT_NE(converted.exit_code, 1) << converted.error;
    EXPECT_EQ(fs::exists(folder.path() / "out"), converted.exit_code == 0);
    EXPECT_EQ(RunCli({"verify", "--model", model.string()}).exit_code, 6);
  }
}

TEST(PackedInputTest, TruncatedWeightsAreNamed) {
  for (const char* golden : {"awq", "gptq", "compressed-tensors", "paroquant"}) {
    const TemporaryFolder folder;
    const fs::path model = folder.path() / "model";
    fs::copy(GoldenPath("packed") / golden, model);
    const fs::path weights = model / "model.safetensors";
    fs::resize_file(weights, fs::file_size(weights) - 100);
    const CliResult result = RunCli({"convert", "--model", model.string(), "--out",
                                     (folder.path() / "out").string(), "--format", "fp16"});
    EXPECT_EQ(result.exit_code, 3) << result.error;
    EXPECT_THAT(result.error, HasSubstr("model.safetensors"));
    EXPECT_FALSE(fs::exists(folder.path() / "out"));
  }
}

// A router of another number of experts, and experts that are not there.
TEST(PackedInputTest, WrongNumbersOfExpertsAreRefused) {
  const TemporaryFolder folder;
  const fs::path ids = folder.path() / "ids.json";
  WriteFile(ids, R"({"input_ids": [1, 5, 9, 33]})");
  const fs::path golden = GoldenPath("models/qwen3_moe");
  const int count = io::ReadJsonFile(golden / "config.json").at("num_local_experts").get<int>();
  for (const int change : {-1, 1}) {
    const fs::path model = folder.path() / std::to_string(count + change);
    WriteEditedModel(
        golden, model, [](Tensors&) {}, Key("num_local_experts", count + change));
    const CliResult result =
        RunCli({"eval-ppl", "--model", model.string(), "--data", ids.string(), "--window", "4"});
    EXPECT_EQ(result.exit_code, 3) << result.error;
    EXPECT_THAT(result.error, HasSubstr("model.layers."));
  }
}

// A config.json beside the weights of another family: the first tensor that does not fit is named.
TEST(PackedInputTest, WeightsOfAnotherFamilyAreRefusedByName) {
  struct Pair {
    const char* weights;
    const char* config;
  };
  const TemporaryFolder folder;
  const fs::path ids = folder.path() / "ids.json";
  WriteFile(ids, R"({"input_ids": [1, 5, 9, 33]})");
  for (const Pair& c : std::vector<Pair>{{"qwen3", "phi3"},
                                         {"phi3", "qwen3"},
                                         {"mixtral", "qwen3_moe"},
                                         {"qwen3_moe", "mixtral"},
                                         {"llama_untied_bias", "gemma2"},
                                         {"gemma2", "olmo2"}}) {
    SCOPED_TRACE(std::string(c.weights) + " as " + c.config);
    const fs::path model = folder.path() / (std::string(c.weights) + c.config);
    fs::create_directory(model);
    fs::copy(GoldenPath("models") / c.weights / "model.safetensors", model);
    io::Json config = io::ReadJsonFile(GoldenPath("models") / c.config / "config.json");
    const io::Json own = io::ReadJsonFile(GoldenPath("models") / c.weights / "config.json");
    for (const char* size : {"hidden_size", "intermediate_size", "vocab_size",
                             "num_attention_heads", "num_key_value_heads", "num_hidden_layers"}) {
      config[size] = own.at(size);  // so that no shape gives it away
    }
    WriteFile(model / "config.json", config.dump());
    const CliResult evaluated =
        RunCli({"eval-ppl", "--model", model.string(), "--data", ids.string(), "--window", "4"});
    EXPECT_EQ(evaluated.exit_code, 3) << evaluated.error;
    EXPECT_THAT(evaluated.error, HasSubstr("tensor \""));
    const CliResult quantized = RunCli({"quantize", "--model", model.string(), "--out",
                                        (folder.path() / "out").string(), "--recipe", "rtn"});
    EXPECT_EQ(quantized.exit_code, 3) << quantized.error;
    EXPECT_FALSE(fs::exists(folder.path() / "out"));
  }
}

TEST(PackedInputTest, WhatTheTargetOrTheLayoutCannotHaveIsRefusedBeforeAnyWork) {
  struct Refusal {
    std::vector<std::string> options;
    std::string mentions;
  };
  for (const Refusal& c : std::vector<Refusal>{
           {{"--skip", "k_proj", "--target", "vllm"}, "quantized alike or not at all"},
           {{"--override", "up_proj:bits=8", "--format", "gptq"}, "the same bits and group size"},
           {{"--override", "[qkv]_proj:group-size=64", "--target", "vllm"}, "groups of 128"},
           {{"--skip", "layers.0.mlp.down_proj", "--format", "gptq", "--target", "transformers"},
            "the same layers in 16 bits in all blocks"}}) {
    const TemporaryFolder folder;
    const std::string out = (folder.path() / "out").string();
    std::vector<std::string> words = {"quantize", "--model",  kTinyLlama, "--out",
                                      out,        "--recipe", "rtn"};
    words.insert(words.end(), c.options.begin(), c.options.end());
    const CliResult result = RunCli(words);
    EXPECT_EQ(result.exit_code, 4) << result.error;
    EXPECT_THAT(result.error, HasSubstr(c.mentions));
    EXPECT_FALSE(fs::exists(out));
  }
}

}  // namespace
}  // namespace paroquant
