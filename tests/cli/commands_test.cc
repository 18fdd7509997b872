#include <gtest/gtest.h>

#include <map>
#include <string>

#include "paroquant/base/file.h"
#include "paroquant/io/tensor_folder.h"
#include "paroquant/method/recipe.h"
#include "tests/cli/cli_process.h"

namespace paroquant {
namespace {

namespace fs = std::filesystem;
using testing::DataPath;
using testing::FolderContent;
using testing::GoldenPath;
using testing::kTinyLlama;
using testing::RunCli;
using testing::RunCliInScript;
using testing::RunCliJson;
using testing::SharedPath;
using testing::TemporaryFolder;

std::vector<std::string> QuantizeShort(const std::filesystem::path& out,
                                       const std::vector<std::string>& more = {}) {
  return testing::QuantizeTinyLlama(out, 8, 256, more);
}

std::vector<std::string> With(std::vector<std::string> words,
                              const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

TEST(VersionTest, NamesTheKernelsAndWarnsOfSlowOnes) {
  const auto usual = RunCli({"--version"});
  EXPECT_EQ(usual.exit_code, 0);
  EXPECT_TRUE(usual.out.starts_with("paroquant ")) << usual.out;
  EXPECT_NE(usual.out.find("\nkernels: "), std::string::npos) << usual.out;
  const auto slow = RunCliInScript("PAROQUANT_INSTRUCTIONS=portable \"$@\"", {"--version"});
  EXPECT_NE(slow.out.find("several times as long"), std::string::npos) << slow.out;
}

TEST(CommandsTest, QuantizedModelVerifiesAndStaysCloseToItsSource) {
  const TemporaryFolder folder;
  const std::string out = (folder.path() / "out").string();
  const io::Json report = RunCliJson(QuantizeShort(out));
  EXPECT_EQ(report.at("layers_quantized"), 21);
  EXPECT_EQ(report.at("calibration").at("tokens"), 8 * 256);
  for (const io::Json& layer : report.at("layers")) {
    EXPECT_LT(layer.at("relative_output_error").get<double>(),
              layer.at("relative_output_error_rtn").get<double>())
        << layer.at("name");
  }

  EXPECT_EQ(RunCliJson({"verify", "--model", out, "--source", kTinyLlama}).at("ok"), true);
  const io::Json result = RunCliJson({"eval-ppl", "--model", out, "--baseline", kTinyLlama,
                                      "--window", "256", "--max-windows", "16", "--data",
                                      DataPath("tiny-llama/sample_evaluation.txt").string()})
                              .at("results")
                              .at(0);
  // Round to nearest has about 0.16.
  EXPECT_LT(result.at("kl_divergence").get<double>(), 0.05);
  EXPECT_GT(result.at("kl_divergence").get<double>(), 0.0);
  EXPECT_GT(result.at("top1_agreement").get<double>(), 0.8);
}

TEST(CommandsTest, SameBytesForAnyNumberOfThreads) {
  const TemporaryFolder folder;
  for (const char* threads : {"1", "2", "3"}) {
    ASSERT_EQ(RunCli(QuantizeShort(folder.path() / threads, {"--threads", threads})).exit_code, 0);
  }
  const auto one = FolderContent(folder.path() / "1");
  EXPECT_EQ(one, FolderContent(folder.path() / "2"));
  EXPECT_EQ(one, FolderContent(folder.path() / "3"));
}

TEST(CommandsTest, MemoryBudgetsChangeNoByte) {
  const TemporaryFolder folder;
  for (const std::string budget : {"0", "4MB", "100GB"}) {
    const io::Json report =
        RunCliJson(QuantizeShort(folder.path() / budget, {"--memory-budget", budget}));
    EXPECT_EQ(report.at("peak_spilled_bytes") > 0, budget != "100GB") << budget;
  }
  const auto most = FolderContent(folder.path() / "100GB");
  EXPECT_EQ(most, FolderContent(folder.path() / "4MB"));
  EXPECT_EQ(most, FolderContent(folder.path() / "0"));
}

// Quantizes tiny-llama with the recipe, verifies the result and returns its expected KL divergence,
// or 0 for a recipe that looks at no text. One stage of tuning is enough to see.
double ExpectedKl(const std::string& recipe) {
  const TemporaryFolder folder;
  const std::string out = (folder.path() / "out").string();
  const io::Json report =
      RunCliJson(QuantizeShort(out, {"--recipe", recipe, "--set", "held_out_sequences=4", "--set",
                                     "tuning.stage2.epochs=0"}));
  EXPECT_EQ(report.at("recipe"), recipe);
  EXPECT_EQ(RunCli({"verify", "--model", out, "--source", kTinyLlama}).exit_code, 0) << recipe;
  const io::Json& kl = report.at("expected_kl");
  return kl.is_null() ? 0.0 : kl.get<double>();
}

TEST(CommandsTest, EveryRecipeVerifiesAndTheyRankAsTheyShould) {
  std::map<std::string, double> kl;
  for (const std::string& recipe : method::ShippedRecipes()) kl[recipe] = ExpectedKl(recipe);
  EXPECT_EQ(kl.at("rtn"), 0.0);
  EXPECT_LT(kl.at("paper"), 0.17);
  EXPECT_LT(kl.at("awq"), 0.8 * kl.at("paper"));
  EXPECT_LT(kl.at("gptq"), 0.8 * kl.at("awq"));
  EXPECT_LT(kl.at("fast"), 0.7 * kl.at("gptq"));
  // On so few sequences one stage gains nothing that another processor's rounding would not move.
  EXPECT_LT(kl.at("block"), 1.15 * kl.at("fast"));
}

TEST(CommandsTest, OtherFilesAndUntouchedTensorsAreCarriedOver) {
  const TemporaryFolder folder;
  const auto out = folder.path() / "out";
  ASSERT_EQ(RunCli({"quantize", "--model", kTinyLlama, "--out", out.string(), "--recipe", "rtn"})
                .exit_code,
            0);
  for (const char* name : {"tokenizer.json", "tokenizer_config.json", "generation_config.json"}) {
    EXPECT_EQ(ReadFile(out / name), ReadFile(DataPath("tiny-llama") / name)) << name;
  }
  // Keys keep their order; the new one comes last.
  const io::Json before = io::ReadJsonFile(DataPath("tiny-llama/config.json"));
  io::Json after = io::ReadJsonFile(out / "config.json");
  EXPECT_EQ(std::prev(after.end()).key(), "quantization_config");
  after.erase("quantization_config");
  EXPECT_EQ(after.dump(), before.dump());
  EXPECT_EQ(RunCli({"verify", "--model", out.string(), "--source", kTinyLlama}).exit_code, 0);
}

TEST(CommandsTest, ShardsOfAnySizeHoldTheSameModel) {
  const TemporaryFolder folder;
  const std::string out = (folder.path() / "out").string();
  ASSERT_EQ(RunCli({"quantize", "--model", kTinyLlama, "--out", out, "--recipe", "rtn",
                    "--shard-size", "1048576"})
                .exit_code,
            0);
  EXPECT_TRUE(std::filesystem::exists(out + "/model.safetensors.index.json"));
  EXPECT_EQ(RunCli({"verify", "--model", out, "--source", kTinyLlama}).exit_code, 0);
}

TEST(CommandsTest, VerifyFindsAFlippedByte) {
  const TemporaryFolder folder;
  const auto out = folder.path() / "out";
  ASSERT_EQ(RunCli({"quantize", "--model", kTinyLlama, "--out", out.string(), "--recipe", "rtn"})
                .exit_code,
            0);
  std::string bytes = ReadFile(out / "model.safetensors");
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 0x10);
  WriteFile(out / "model.safetensors", bytes);
  EXPECT_EQ(RunCli({"verify", "--model", out.string(), "--source", kTinyLlama}).exit_code, 6);
}

TEST(CommandsTest, OverwriteReplacesAndNothingElseDoes) {
  const TemporaryFolder folder;
  const std::vector<std::string> words = {
      "quantize", "--model", kTinyLlama, "--out", (folder.path() / "out").string(),
      "--recipe", "rtn"};
  EXPECT_EQ(RunCli(words).exit_code, 0);
  const auto first = FolderContent(folder.path() / "out");
  EXPECT_EQ(RunCli(words).exit_code, 2);
  EXPECT_EQ(FolderContent(folder.path() / "out"), first);
  EXPECT_EQ(RunCli(With(words, {"--overwrite"})).exit_code, 0);
  EXPECT_EQ(FolderContent(folder.path() / "out"), first);
}

TEST(CommandsTest, LayersThatNoGroupDividesAreKeptAndListed) {
  PAROQUANT_SKIP_WITHOUT_SHARED();
  const TemporaryFolder folder;
  const std::string out = (folder.path() / "out").string();
  const io::Json report =
      RunCliJson({"quantize", "--model", SharedPath("models/stories260K").string(), "--out", out,
                  "--recipe", "rtn"});
  EXPECT_GT(report.at("layers_quantized"), 0);
  EXPECT_GT(report.at("layers_kept"), 0);
  for (const io::Json& layer : report.at("layers")) {
    if (layer.at("status") == "quantized") continue;
    EXPECT_NE(layer.at("reason"), "") << layer.at("name");
  }
  EXPECT_EQ(RunCli({"verify", "--model", out}).exit_code, 0);
}

// Engines and verify look for a layer with the settings of quantization_config.
TEST(CommandsTest, QuantizationConfigDescribesTheLayersThereAre) {
  struct SettingsCase {
    fs::path model;
    std::vector<std::string> options;
    int bits;
    int group_size;
  };
  const std::vector<SettingsCase> cases = {
      {kTinyLlama, {}, 4, 128},
      {kTinyLlama, {"--override", "down_proj:bits=8"}, 4, 128},
      {kTinyLlama, {"--override", ".*:bits=8,group-size=64"}, 8, 64},
      {kTinyLlama,
       {"--override", "(q|k|v|o|gate|up)_proj:bits=8", "--override", "down_proj:bits=2"},
       8,
       128},
      {GoldenPath("models/qwen3"), {}, 4, 64},
  };
  for (const SettingsCase& c : cases) {
    const TemporaryFolder folder;
    const std::string out = (folder.path() / "out").string();
    const auto result = RunCli(With(
        {"quantize", "--model", c.model.string(), "--out", out, "--recipe", "rtn"}, c.options));
    ASSERT_EQ(result.exit_code, 0) << result.error;
    const io::Json config =
        io::ReadJsonFile(folder.path() / "out" / "config.json").at("quantization_config");
    EXPECT_EQ(config.at("bits"), c.bits) << c.model;
    EXPECT_EQ(config.at("group_size"), c.group_size) << c.model;
    const auto verified = RunCli({"verify", "--model", out, "--source", c.model.string()});
    EXPECT_EQ(verified.exit_code, 0) << verified.out;
  }
}

TEST(CommandsTest, TinyLlamaHasItsKnownPerplexity) {
  PAROQUANT_SKIP_WITHOUT_SHARED();
  const io::Json result =
      RunCliJson({"eval-ppl", "--model", kTinyLlama, "--window", "512", "--data",
                  DataPath("tiny-llama/sample_evaluation.txt").string()});
  EXPECT_EQ(result.at("results").at(0).at("windows"), 155);
  EXPECT_NEAR(result.at("results").at(0).at("perplexity").get<double>(), 10.15863, 1e-3);
}

TEST(CommandsTest, StoriesMatchesItsFloat64Reference) {
  PAROQUANT_SKIP_WITHOUT_SHARED();
  const auto model = SharedPath("models/stories260K");
  const io::Json reference = io::ReadJsonFile(model / "reference_fp64.json");
  const TemporaryFolder folder;
  WriteFile(folder.path() / "text.txt", reference.at("text").get<std::string>());
  const io::Json result = RunCliJson({"eval-ppl", "--model", model.string(), "--window", "512",
                                      "--data", (folder.path() / "text.txt").string()});
  const double expected = reference.at("ppl").get<double>();
  EXPECT_NEAR(result.at("results").at(0).at("perplexity").get<double>(), expected, 1e-4 * expected);
}

TEST(CommandsTest, TokenizePrintsIds) {
  const io::Json result = RunCliJson({"tokenize", "--model", kTinyLlama, "--text", "Hello"});
  EXPECT_FALSE(result.at("ids").empty());
  const io::Json special =
      RunCliJson({"tokenize", "--model", kTinyLlama, "--text", "Hello", "--special"});
  EXPECT_GE(special.at("ids").size(), result.at("ids").size());
}

TEST(CommandsTest, TheResolvedRecipeIsStored) {
  const TemporaryFolder folder;
  const fs::path out = folder.path() / "out";
  const io::Json result = RunCliJson({"quantize", "--model", kTinyLlama, "--out", out.string(),
                                      "--recipe", "rtn", "--bits", "3", "--group-size", "32",
                                      "--set", "rotations=2", "--set", "rotation=hadamard"});
  const io::Json settings = result.at("settings");
  EXPECT_EQ(settings.at("rounding"), "nearest");
  EXPECT_EQ(settings.at("bits"), 3);
  EXPECT_EQ(settings.at("rotations"), 2);
  const io::Json report = io::ReadJsonFile(out / "quantization_report.json");
  EXPECT_EQ(report.at("recipe"), "rtn");
  EXPECT_EQ(report.at("settings"), settings);
  const auto metadata = io::TensorFolder::Open(out).metadata();
  EXPECT_EQ(io::Json::parse(metadata.at("paroquant")).at("settings"), settings);
}

TEST(CommandsTest, GenerateIsRepeatable) {
  const std::vector<std::string> words = {"generate", "--model",      kTinyLlama, "--prompt",
                                          "The city", "--max-tokens", "8",        "--temperature",
                                          "0.8",      "--seed",       "3"};
  const auto first = RunCli(words);
  EXPECT_EQ(first.exit_code, 0) << first.error;
  EXPECT_TRUE(first.out.starts_with("The city"));
  EXPECT_EQ(first.out, RunCli(words).out);
}

TEST(CommandsTest, SavedLogitsMatchTheGolden) {
  const TemporaryFolder folder;
  const io::Json facts = io::ReadJsonFile(GoldenPath("models/qwen3/golden.json"));
  WriteFile(folder.path() / "ids.json", io::Json{{"input_ids", facts.at("input_ids")}}.dump());
  const io::Json result = RunCliJson({"eval-ppl", "--model", GoldenPath("models/qwen3").string(),
                                      "--data", (folder.path() / "ids.json").string(),
                                      "--save-logits", (folder.path() / "l.safetensors").string()});
  EXPECT_NEAR(result.at("results").at(0).at("nll").get<double>(),
              facts.at("nll_float64").get<double>(), 1e-5);
  EXPECT_TRUE(std::filesystem::exists(folder.path() / "l.safetensors"));
}

TEST(CommandsTest, InspectListsEveryLayer) {
  const io::Json result = RunCliJson({"inspect", "--model", kTinyLlama});
  EXPECT_EQ(result.at("layers").size(), 21U);
  EXPECT_EQ(result.at("architecture").at("model_type"), "llama");
}

}  // namespace
}  // namespace paroquant
