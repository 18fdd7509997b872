// What is left of a run that was stopped, and how the program goes on with it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "paroquant/base/file.h"
#include "tests/cli/cli_process.h"

namespace paroquant {
namespace {

namespace fs = std::filesystem;
using testing::CliResult;
using testing::FolderContent;
using ::testing::HasSubstr;
using testing::kTinyLlama;
using testing::RunCli;
using testing::RunCliInScript;
using testing::RunCliJson;
using testing::TemporaryFolder;

std::vector<std::string> Quantize(const fs::path& out, const std::vector<std::string>& more = {}) {
  return testing::QuantizeTinyLlama(out, 8, 256, more);
}

// Starts the program, waits for the first block to be finished, sends a signal, runs `then` and
// waits for the end.
std::string WithSignal(const std::string& signal, const fs::path& out,
                       const std::string& then = "true") {
  return "\"$@\" & until [[ -e " + (out / ".paroquant-state/block-00000").string() +
         " ]] || ! kill -0 $!; do sleep 0.01; done; kill -" + signal + " $!; " + then + "; wait $!";
}

class ResumeCliTest : public ::testing::Test {
 protected:
  TemporaryFolder folder_;
  const fs::path out_ = folder_.path() / "out";
};

TEST_F(ResumeCliTest, SignalsKeepTheStateAndResumeGivesTheSameBytes) {
  ASSERT_EQ(RunCli(Quantize(folder_.path() / "whole")).exit_code, 0);
  const auto whole = FolderContent(folder_.path() / "whole");
  for (const auto& [signal, code] : {std::pair("INT", 130), {"TERM", 130}, {"KILL", -9}}) {
    const CliResult stopped = RunCliInScript(WithSignal(signal, out_), Quantize(out_));
    EXPECT_EQ(stopped.exit_code, code == -9 ? 137 : code) << signal;
    if (code == 130) {
      EXPECT_THAT(stopped.error, HasSubstr("of 3 blocks are kept: repeat the command with "
                                           "--resume to go on"));
    }
    const io::Json result = RunCliJson(Quantize(out_, {"--resume"}));
    EXPECT_GE(result.at("resumed_blocks"), 1) << signal;
    EXPECT_EQ(FolderContent(out_), whole) << signal;
    fs::remove_all(out_);
  }
}

TEST_F(ResumeCliTest, InspectTellsTheProgressAndHowToGoOn) {
  RunCliInScript(WithSignal("KILL", out_), Quantize(out_));
  const CliResult text = RunCli({"inspect", "--model", out_.string()});
  EXPECT_EQ(text.exit_code, 0) << text.error;
  EXPECT_THAT(text.out, HasSubstr("of 3 blocks are finished"));
  EXPECT_THAT(text.out, HasSubstr("--resume"));
  EXPECT_THAT(text.out, HasSubstr(kTinyLlama));
  const io::Json run = RunCliJson({"inspect", "--model", out_.string()}).at("unfinished_run");
  EXPECT_EQ(run.at("state"), "stopped");
  EXPECT_EQ(run.at("blocks"), 3);
  EXPECT_GE(run.at("finished_blocks"), 1);
  EXPECT_EQ(run.at("fingerprint").at("settings").at("bits"), 4);
  EXPECT_THAT(run.at("command"), HasSubstr("--set calibration_sequences=8"));
  EXPECT_THAT(text.out, HasSubstr(run.at("command").get<std::string>()));
  const std::string out = out_.string();
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"verify", "--model", out},
           {"eval-ppl", "--model", out, "--data", kTinyLlama + "/sample_evaluation.txt"},
           {"generate", "--model", out, "--prompt", "The"},
           {"convert", "--model", out, "--out", out + "-fp16", "--format", "fp16"}}) {
    const CliResult result = RunCli(words);
    EXPECT_EQ(result.exit_code, 3) << words.front();
    EXPECT_THAT(result.error, HasSubstr(out + ": expected a model, found an unfinished run"));
  }

  EXPECT_EQ(RunCli(Quantize(out_, {"--resume"})).exit_code, 0);
  const io::Json whole = RunCliJson({"inspect", "--model", out_.string()});
  EXPECT_TRUE(whole.at("unfinished_run").is_null());
  EXPECT_EQ(whole.at("quantization").at("bits"), 4);
}

TEST_F(ResumeCliTest, OtherOptionsAreRefusedByName) {
  RunCliInScript(WithSignal("KILL", out_), Quantize(out_));
  const CliResult result = RunCli(Quantize(out_, {"--resume", "--bits", "8"}));
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.error, HasSubstr("settings.bits: 4 before, 8 now"));
  const CliResult planned = RunCli(Quantize(out_, {"--resume", "--bits", "8", "--plan"}));
  EXPECT_EQ(planned.exit_code, 2);
  EXPECT_EQ(planned.error, result.error);
  const CliResult unasked = RunCli(Quantize(out_));
  EXPECT_EQ(unasked.exit_code, 2);
  EXPECT_THAT(unasked.error, HasSubstr("an unfinished run"));
}

TEST_F(ResumeCliTest, ResumingACompleteRunDoesNothing) {
  const CliResult first = RunCli(Quantize(out_, {"--resume"}));
  EXPECT_EQ(first.exit_code, 0);
  EXPECT_THAT(first.error, HasSubstr("holds no unfinished run"));
  const CliResult result = RunCli(Quantize(out_, {"--resume"}));
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, HasSubstr("complete before"));
}

// The first run is halted, not ended, while the second begins.
TEST_F(ResumeCliTest, ASecondRunOnTheSameFolderIsRefused) {
  for (const char* option : {"--overwrite", "--resume", "--quiet"}) {
    const std::string second =
        "\"$@\" " + std::string(option) + "; code=$?; kill -CONT $!; wait $! && exit $code";
    const CliResult result = RunCliInScript(WithSignal("STOP", out_, second), Quantize(out_));
    EXPECT_EQ(result.exit_code, 2) << option << ": " << result.error;
    EXPECT_THAT(result.error, HasSubstr("a run at work on it")) << option;
    EXPECT_EQ(RunCli({"verify", "--model", out_.string(), "--source", kTinyLlama}).exit_code, 0);
    fs::remove_all(out_);
  }
}

TEST_F(ResumeCliTest, FullDisksKeepWhatIsFinished) {
  const fs::path model = folder_.path() / "model";
  fs::copy(kTinyLlama, model);
  WriteFile(model / "large.txt", "");
  fs::resize_file(model / "large.txt", 12 << 20);
  const std::vector<std::string> words = {"quantize",    "--model",  model.string(), "--out",
                                          out_.string(), "--recipe", "rtn"};
  const CliResult full = RunCliInScript("ulimit -f 8192 && exec \"$@\"", words);
  EXPECT_EQ(full.exit_code, 5);
  EXPECT_THAT(full.error, HasSubstr("large.txt"));
  EXPECT_THAT(full.error, HasSubstr("File too large"));
  EXPECT_THAT(full.error, HasSubstr("3 of 3 blocks are kept"));
  std::vector<std::string> again = words;
  again.emplace_back("--resume");
  EXPECT_EQ(RunCliJson(again).at("resumed_blocks"), 3);
  EXPECT_EQ(RunCli({"verify", "--model", out_.string(), "--source", model.string()}).exit_code, 0);
}

}  // namespace
}  // namespace paroquant
