// quantize --plan: what it shows is what would happen.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "paroquant/base/file.h"
#include "tests/cli/cli_process.h"

namespace paroquant {
namespace {

namespace fs = std::filesystem;
using testing::DataPath;
using ::testing::HasSubstr;
using testing::kTinyLlama;
using testing::RunCli;
using testing::RunCliJson;
using testing::TemporaryFolder;

TEST(PlanTest, JsonHasTheLayersOfARealRunAndNothingIsWritten) {
  const TemporaryFolder folder;
  const std::string out = (folder.path() / "out").string();
  const std::string report = (folder.path() / "report.json").string();
  std::vector<std::string> words = {"quantize", "--model",    kTinyLlama,      "--out",
                                    out,        "--recipe",   "rtn",           "--skip",
                                    "v_proj",   "--override", "up_proj:bits=8"};
  std::vector<std::string> planned = words;
  planned.insert(planned.end(), {"--plan", "--report", report});
  const io::Json plan = RunCliJson(planned);
  EXPECT_FALSE(fs::exists(out));
  EXPECT_EQ(plan, io::ReadJsonFile(report));
  EXPECT_EQ(plan.at("model"), kTinyLlama);
  EXPECT_EQ(plan.at("out"), out);

  const io::Json run = RunCliJson(words);
  ASSERT_EQ(plan.at("layers").size(), run.at("layers").size());
  for (size_t i = 0; i < plan.at("layers").size(); ++i) {
    const io::Json& layer = plan.at("layers").at(i);
    EXPECT_EQ(layer.size(), 6U);
    for (const char* key : {"name", "shape", "bits", "group_size", "status", "reason"}) {
      EXPECT_EQ(layer.at(key), run.at("layers").at(i).at(key)) << layer.dump();
    }
  }
}

TEST(PlanTest, RefusesWhatARunRefuses) {
  const TemporaryFolder folder;
  const std::string full = (folder.path() / "full").string();
  ASSERT_EQ(RunCli({"quantize", "--model", kTinyLlama, "--out", full, "--recipe", "rtn"}).exit_code,
            0);
  struct PlanCase {
    std::string model;
    std::string out;
    int exit_code;
    std::string message;
  };
  for (const PlanCase& c :
       std::vector<PlanCase>{{kTinyLlama, full, 2, "in it"},
                             {kTinyLlama, kTinyLlama + "/out", 2, "inside"},
                             {full, (folder.path() / "new").string(), 3, "16-bit"},
                             {kTinyLlama, (folder.path() / "new").string(), 0, ""}}) {
    std::vector<std::string> words = {"quantize", "--model",  c.model, "--out",
                                      c.out,      "--recipe", "rtn"};
    for (int planned = 0; planned < 2; ++planned) {
      const auto result = RunCli(words);
      EXPECT_EQ(result.exit_code, c.exit_code) << result.error;
      EXPECT_THAT(result.error, HasSubstr(c.message));
      fs::remove_all(folder.path() / "new");
      words.emplace_back("--plan");
    }
  }
}

TEST(PlanTest, SaysWhatTheRunWillTake) {
  const TemporaryFolder folder;
  const fs::path out = folder.path() / "out";
  std::vector<std::string> words = {"quantize",   "--model",  kTinyLlama, "--out",
                                    out.string(), "--recipe", "rtn"};
  std::vector<std::string> planned = words;
  planned.emplace_back("--plan");
  const io::Json cost = RunCliJson(planned).at("cost");
  EXPECT_GT(cost.at("seconds").get<double>(), 0);
  EXPECT_GT(cost.at("memory_bytes").get<int64_t>(), 0);
  EXPECT_EQ(cost.at("spilled_bytes").get<int64_t>(), 0);
  EXPECT_GT(cost.at("record_bytes").get<int64_t>(), 0);
  EXPECT_THAT(RunCli(planned).out, HasSubstr("to write"));
  RunCliJson(words);
  const auto written = static_cast<double>(fs::file_size(out / "model.safetensors"));
  EXPECT_NEAR(cost.at("output_bytes").get<double>(), written, 0.02 * written);  // the header
}

// With sequences so short that attention is computed twice, so long that it is kept, with tuning;
// with no memory at all, and with enough for some of the activations.
TEST(PlanTest, ActivationsOnDiskAreThoseOfTheRun) {
  const TemporaryFolder folder;
  for (const auto& [recipe, length, budget] :
       std::vector<std::array<std::string, 3>>{{"fast", "128", "0"},
                                               {"fast", "1024", "3000000"},
                                               {"block", "128", "3000000"},
                                               {"block", "1024", "0"}}) {
    std::vector<std::string> words =
        testing::QuantizeTinyLlama(folder.path() / "out", 3, std::stoi(length),
                                   {"--overwrite", "--recipe", recipe, "--memory-budget", budget});
    for (const char* setting :
         {"held_out_sequences=1", "tuning.stage1.epochs=0", "tuning.stage2.epochs=0"}) {
      words.insert(words.end(), {"--set", setting});
    }
    if (recipe == "block") words.insert(words.end(), {"--set", "tuning.stage1.epochs=1"});
    const io::Json run = RunCliJson(words);
    words.emplace_back("--plan");
    EXPECT_EQ(RunCliJson(words).at("cost").at("spilled_bytes"), run.at("peak_spilled_bytes"))
        << recipe << ", " << length << ", " << budget;
  }
}

// tests/pipeline/priced_plan_test.cc has each of them.
TEST(PlanTest, WarnsOfWhatWillDisappoint) {
  const TemporaryFolder folder;
  std::vector<std::string> words = {"quantize",
                                    "--model",
                                    kTinyLlama,
                                    "--out",
                                    (folder.path() / "out").string(),
                                    "--plan",
                                    "--group-size",
                                    "64",
                                    "--calib-sequences",
                                    "1"};
  const testing::CliResult result = RunCli(words);
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.error, HasSubstr("warning: vllm would not load the result"));
  EXPECT_THAT(result.error, HasSubstr("--calib-sequences 3 would be enough"));
  EXPECT_THAT(result.out, HasSubstr("calibrates on 1 sequence of 1024 tokens"));
  const io::Json plan = RunCliJson(words);
  EXPECT_GE(plan.at("warnings").size(), 4U);
  EXPECT_EQ(plan.at("calibration").at("sequence_length"), 1024);
}

// A long run is better stopped before it than regretted after it.
TEST(PlanTest, ARunWarnsBeforeItsWork) {
  const TemporaryFolder folder;
  const auto result = RunCli({"quantize", "--model", kTinyLlama, "--out",
                              (folder.path() / "out").string(), "--calib-sequences", "1",
                              "--sequence-length", "64", "--set", "held_out_sequences=1"});
  EXPECT_EQ(result.exit_code, 0) << result.error;
  const size_t warning = result.error.find("warning: model.layers.0.mlp.down_proj has K = 640");
  ASSERT_NE(warning, std::string::npos) << result.error;
  const size_t work = result.error.find("quantizing: ");
  ASSERT_NE(work, std::string::npos) << result.error;
  EXPECT_LT(warning, work);
}

TEST(PlanTest, ReadsTheCalibrationText) {
  const TemporaryFolder folder;
  const fs::path text = folder.path() / "short.txt";
  for (const std::string content : {"", "Too short."}) {
    WriteFile(text, content);
    std::vector<std::string> words = {
        "quantize", "--model",    kTinyLlama, "--out", (folder.path() / "out").string(),
        "--calib",  text.string()};
    const auto run = RunCli(words);
    words.emplace_back("--plan");
    const auto plan = RunCli(words);
    EXPECT_EQ(plan.exit_code, 3);
    EXPECT_EQ(plan.error, run.error);
  }
}

TEST(PlanTest, TextGoesToStandardOutputUnlessQuiet) {
  const TemporaryFolder folder;
  const std::vector<std::string> words = {
      "quantize", "--model", kTinyLlama, "--out", (folder.path() / "out").string(), "--plan"};
  EXPECT_THAT(RunCli(words).out, HasSubstr("4 bit, group 128"));
  std::vector<std::string> quiet = words;
  quiet.emplace_back("--quiet");
  EXPECT_EQ(RunCli(quiet).out, "");
}

TEST(PlanTest, CalibrationFilesThatARecipeDoesNotReadAreNoted) {
  const TemporaryFolder folder;
  const std::string text = DataPath("tiny-llama/sample_calibration.txt").string();
  const std::string absent = (folder.path() / "absent.txt").string();
  std::vector<std::string> words = {
      "quantize", "--model", kTinyLlama, "--out", (folder.path() / "out").string(),
      "--recipe", "rtn",     "--calib",  text};
  const io::Json notes = RunCliJson(words).at("notes");
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_THAT(notes.at(0).get<std::string>(), HasSubstr("not used: " + text));
  words.back() = absent;
  words.emplace_back("--overwrite");
  const auto result = RunCli(words);
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.error, HasSubstr(absent));
}

}  // namespace
}  // namespace paroquant
