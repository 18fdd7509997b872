// Names that hold what a terminal would take for commands: shown harmless to people and in logs,
// exact in JSON.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "paroquant/base/file.h"
#include "tests/cli/cli_process.h"
#include "tests/testing/edited_model.h"

namespace paroquant {
namespace {

namespace fs = std::filesystem;
using testing::CliResult;
using testing::DataPath;
using testing::GoldenPath;
using ::testing::HasSubstr;
using testing::kTinyLlama;
using testing::RunCli;
using testing::TemporaryFolder;

const std::string kName = "\x1B[2J\x7F\u009B31m";
const std::string kShown = "?[2J??31m";
const std::string kNoUtf8 = "\xC0\x9B\xFF";  // an overlong ESC and a byte that begins nothing

// Text of several lines without a control character.
::testing::AssertionResult IsHarmless(const std::string& text) {
  for (const char* control : {"\x1B", "\x7F", "\u009B", "\x9B", "\xFF"}) {
    if (text.find(control) != std::string::npos) return ::testing::AssertionFailure() << text;
  }
  return ::testing::AssertionSuccess();
}

class HostileNameTest : public ::testing::Test {
 protected:
  // tiny-llama as a folder of this name, with a card that is warned of.
  fs::path Model(const std::string& name) const {
    const fs::path model = folder_.path() / name;
    fs::copy(DataPath("tiny-llama"), model);
    WriteFile(model / "README.md", "---\nlicense: {a: b}\n---\n");
    return model;
  }

  const TemporaryFolder folder_;
};

TEST_F(HostileNameTest, FoldersAreShownHarmlessInResultsWarningsAndLogs) {
  for (const std::string& name : {kName, kNoUtf8}) {
    const fs::path model = Model(name);
    const std::string out = (model.string() + ".out");
    const std::string log = (folder_.path() / "log").string();
    const CliResult made = RunCli({"quantize", "--model", model.string(), "--out", out, "--recipe",
                                   "rtn", "--log-file", log});
    EXPECT_EQ(made.exit_code, 0) << made.error;
    EXPECT_THAT(made.error, HasSubstr("was not understood"));
    const CliResult seen = RunCli({"inspect", "--model", model.string()});
    const CliResult checked = RunCli({"verify", "--model", out});
    EXPECT_THAT(checked.out, HasSubstr(": ok"));
    const CliResult failed = RunCli({"inspect", "--model", out + "/" + name});
    EXPECT_TRUE(testing::HasFourParts(failed.error));
    for (const std::string& text :
         {made.out, made.error, seen.out, checked.out, failed.error, ReadFile(log)}) {
      EXPECT_TRUE(IsHarmless(text));
      EXPECT_THAT(text, HasSubstr(name == kName ? kShown : "???"));
    }
  }
}

TEST_F(HostileNameTest, TextsAndModelsAreEvaluatedUnderHarmlessNames) {
  const std::string model = Model(kName + "\nmodel").string();
  const std::string data = (folder_.path() / (kName + "\n.txt")).string();
  fs::copy(DataPath("tiny-llama/sample_evaluation.txt"), data);
  const std::vector<std::string> words = {"eval-ppl", "--model", model,           "--data", data,
                                          "--window", "32",      "--max-windows", "1"};
  const CliResult one = RunCli(words);
  EXPECT_THAT(one.out, HasSubstr(kShown + "?.txt: 1 window "));
  std::vector<std::string> two_models = words;
  two_models.insert(two_models.end(), {"--model", kTinyLlama});
  const CliResult two = RunCli(two_models);
  EXPECT_THAT(two.out, HasSubstr(kShown + "?.txt: 1 window "));
  EXPECT_THAT(two.out, HasSubstr("  " + kShown + "?model  "));
  for (const CliResult& result : {one, two}) EXPECT_TRUE(IsHarmless(result.out + result.error));
}

TEST_F(HostileNameTest, TensorsAreShownHarmlessAndInJsonExact) {
  const fs::path model = folder_.path() / "model";
  const std::string tensor = kName + ".qweight";
  testing::WriteEditedModel(GoldenPath("packed/paroquant"), model, [&](auto& tensors) {
    tensors.push_back({tensor, io::DType::kF16, {1}, std::vector<std::byte>(2)});
  });
  const std::string json = (folder_.path() / "json").string();
  const CliResult result = RunCli({"verify", "--model", model.string(), "--json", json});
  EXPECT_EQ(result.exit_code, 6) << result.error;
  EXPECT_THAT(result.out, HasSubstr(kShown + ".qweight: expected"));
  EXPECT_TRUE(IsHarmless(result.out));
  EXPECT_EQ(io::ReadJsonFile(json).at("problems").at(0).at("where"), tensor);
}

TEST_F(HostileNameTest, KeysOfAConfigAreShownHarmless) {
  const fs::path model = Model("model");
  io::Json config = io::ReadJsonFile(model / "config.json");
  config["model_type"] = kName;
  WriteFile(model / "config.json", config.dump());
  const CliResult result = RunCli({"inspect", "--model", model.string()});
  EXPECT_THAT(result.error, HasSubstr("found \"" + kShown + "\""));
  EXPECT_TRUE(IsHarmless(result.error));
}

}  // namespace
}  // namespace paroquant
