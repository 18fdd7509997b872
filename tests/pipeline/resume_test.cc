// Runs that are stopped and gone on with give the bytes of those that are not.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include "paroquant/base/error.h"
#include "paroquant/base/file.h"
#include "paroquant/pipeline/quantize.h"
#include "paroquant/pipeline/unfinished_run.h"
#include "tests/testing/error_of.h"
#include "tests/testing/paths.h"

namespace paroquant::pipeline {
namespace {

namespace fs = std::filesystem;

using paroquant::testing::ErrorOf;
using paroquant::testing::GoldenPath;
using paroquant::testing::TemporaryFolder;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Stops after a number of steps that are not done in parts, as sampling and gradients are.
class StoppingProgress : public NoProgress {
 public:
  explicit StoppingProgress(int64_t steps) : left_(steps) {}

  void Plan(const std::string& /*phase*/, const std::vector<Work>& steps) override {
    total_ = std::ranges::count_if(steps, [](const Work& step) { return Counts(step); });
  }
  void Complete(const Work& step, const std::string& /*note*/) override {
    if (!Counts(step)) return;
    if (--left_ < 0) throw Error(ErrorKind::kInterrupted, {.where = "test", .hint = "Nothing."});
  }
  int64_t total() const { return total_; }

 private:
  static bool Counts(const Work& step) {
    return step.kind != "sampling" && step.kind != "gradients";
  }

  int64_t left_;
  int64_t total_ = 0;
};

constexpr double kNever = 0;
constexpr double kAlways = 1e12;

QuantizeOptions Options(const std::string& model, const fs::path& out, const std::string& recipe,
                        double saving_share) {
  QuantizeOptions options{
      .model = GoldenPath("models") / model, .out = out, .recipe = method::LoadRecipe(recipe)};
  options.recipe.calibration_sequences = 4;
  options.recipe.held_out_sequences = 2;
  options.recipe.layer.row_feedback_sequences = 2;
  options.recipe.sequence_length = 24;
  options.saving_share = saving_share;
  return options;
}

QuantizeOptions Resumed(QuantizeOptions options) {
  options.resume = true;
  return options;
}

// The bytes of all files, by their paths in the folder.
std::map<std::string, std::string> Content(const fs::path& folder) {
  std::map<std::string, std::string> content;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_directory()) continue;
    content[entry.path().lexically_relative(folder).string()] = ReadFile(entry.path());
  }
  return content;
}

QuantizeSummary RunToTheEnd(const QuantizeOptions& options) {
  NoProgress progress;
  return Quantize(options, progress);
}

// Runs until `steps` are done and returns the error.
Error Stop(const QuantizeOptions& options, int64_t steps) {
  StoppingProgress progress(steps);
  return ErrorOf([&] { Quantize(options, progress); });
}

void FlipBit(const fs::path& path, size_t byte) {
  std::string bytes = ReadFile(path);
  bytes.at(byte) = static_cast<char>(bytes.at(byte) ^ 16);
  WriteFile(path, bytes);
}

const fs::path kBlock0 = ".paroquant-state/block-00000";

class ResumeTest : public ::testing::Test {
 protected:
  // Steps until the first block of qwen3 is done: moments of gradients, its linears, its end.
  static constexpr int64_t kBlockSteps = 9;

  QuantizeOptions Options(const std::string& out) const {
    return pipeline::Options("qwen3", folder_.path() / out, "fast", kAlways);
  }
  // A run that was stopped once its first block was finished.
  void StopAfterABlock(const QuantizeOptions& options) {
    EXPECT_EQ(Stop(options, kBlockSteps).kind(), ErrorKind::kInterrupted);
  }

  TemporaryFolder folder_;
};

struct Case {
  const char* model;
  const char* recipe;
  double saving_share;
  format::FormatKind format = format::FormatKind::kParoquant;
};

QuantizeOptions Options(const Case& c, const fs::path& out, double saving_share) {
  QuantizeOptions options = Options(c.model, out, c.recipe, saving_share);
  options.format = c.format;
  if (c.format != format::FormatKind::kParoquant) options.recipe.group_size = 32;
  return options;
}

class ResumeEverywhereTest : public ::testing::TestWithParam<Case> {};

INSTANTIATE_TEST_SUITE_P(
    Runs, ResumeEverywhereTest,
    ::testing::Values(Case{"qwen3", "rtn", kNever}, Case{"qwen3", "gptq", kAlways},
                      Case{"qwen3", "fast", kNever}, Case{"qwen3", "fast", kAlways},
                      Case{"qwen3", "block", kNever}, Case{"qwen3", "block", kAlways},
                      Case{"gemma2", "fast", kNever}, Case{"mixtral", "rtn", kNever},
                      Case{"qwen3_moe", "block", kNever}, Case{"qwen3_moe", "fast", kAlways},
                      Case{"gemma", "awq", kAlways, format::FormatKind::kAwq}),
    [](const auto& test) {
      return fmt::format("{}_{}_{}", test.param.model, test.param.recipe,
                         test.param.saving_share > 0 ? "streams" : "blocks");
    });

TEST_P(ResumeEverywhereTest, GivesTheBytesOfARunThatWasNotStopped) {
  const TemporaryFolder folder;
  StoppingProgress progress(1 << 30);
  Quantize(Options(GetParam(), folder.path() / "whole", kNever), progress);
  const auto expected = Content(folder.path() / "whole");
  const int64_t steps = progress.total();
  int64_t resumed_blocks = 0;
  for (const int64_t step : {steps / 4, steps / 2, 3 * steps / 4, steps - 1}) {
    const QuantizeOptions options =
        Resumed(Options(GetParam(), folder.path() / std::to_string(step), GetParam().saving_share));
    EXPECT_EQ(Stop(options, step).kind(), ErrorKind::kInterrupted);
    resumed_blocks += RunToTheEnd(options).resumed_blocks;
    EXPECT_EQ(Content(options.out), expected) << "stopped at step " << step;
  }
  EXPECT_GT(resumed_blocks, 0);
}

TEST_F(ResumeTest, TakesOverFinishedBlocksHoweverOftenItIsStopped) {
  RunToTheEnd(Options("whole"));
  const QuantizeOptions options = Resumed(Options("out"));
  StopAfterABlock(options);
  EXPECT_EQ(Stop(options, 3).kind(), ErrorKind::kInterrupted);
  EXPECT_EQ(RunToTheEnd(options).resumed_blocks, 1);
  EXPECT_EQ(Content(options.out), Content(folder_.path() / "whole"));
}

TEST_F(ResumeTest, SaysWhatIsKeptAndHowToGoOn) {
  const QuantizeOptions options = Options("out");
  const Error error = Stop(options, kBlockSteps);
  EXPECT_THAT(error.parts().hint, AllOf(HasSubstr("1 of 2 blocks"), HasSubstr("--resume")));
  const auto run = FindUnfinishedRun(options.out);
  ASSERT_TRUE(run.has_value());
  EXPECT_FALSE(run->running);
  EXPECT_EQ(run->blocks, 2);
  EXPECT_EQ(run->finished_blocks, 1);
  EXPECT_EQ(run->fingerprint.at("recipe"), "fast");
  RunToTheEnd(Resumed(options));
  EXPECT_FALSE(FindUnfinishedRun(options.out).has_value());
}

TEST_F(ResumeTest, NothingIsLeftWhereNothingWasDone) {
  QuantizeOptions options = Options("out");
  options.recipe = method::LoadRecipe("rtn");
  EXPECT_EQ(Stop(options, 0).parts().hint, "Nothing.");
  EXPECT_FALSE(fs::exists(options.out));
}

TEST_F(ResumeTest, UnfinishedRunsAreNeitherOverwrittenNorResumedUnasked) {
  QuantizeOptions options = Options("out");
  StopAfterABlock(options);
  const Error error = ErrorOf([&] { RunToTheEnd(options); });
  EXPECT_EQ(error.kind(), ErrorKind::kUsage);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("an unfinished run"), HasSubstr("--resume")));
  options.overwrite = true;
  EXPECT_EQ(RunToTheEnd(options).resumed_blocks, 0);
}

TEST_F(ResumeTest, AnotherRunIsRefusedAndWhatDiffersIsNamed) {
  StopAfterABlock(Options("out"));
  const auto before = Content(folder_.path() / "out");
  const auto problem = [&](const auto& change) {
    QuantizeOptions options = Resumed(Options("out"));
    change(options);
    const Error error = ErrorOf([&] { RunToTheEnd(options); });
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    return std::string(error.what());
  };
  EXPECT_THAT(problem([](QuantizeOptions& o) { o.recipe.bits = 8; }),
              HasSubstr("settings.bits: 4 before, 8 now"));
  EXPECT_THAT(problem([](QuantizeOptions& o) { o.seed = 7; }), HasSubstr("seed: 0 before, 7 now"));
  EXPECT_THAT(problem([](QuantizeOptions& o) { o.skip = {"down_proj"}; }),
              HasSubstr("skip: [] before, [\"down_proj\"] now"));
  EXPECT_THAT(problem([](QuantizeOptions& o) { o.format = format::FormatKind::kDense; }),
              HasSubstr("format: \"paroquant\" before, \"fp16\" now"));
  EXPECT_EQ(Content(folder_.path() / "out"), before);
}

TEST_F(ResumeTest, AnotherModelOrTextIsRefusedAndItsFileIsNamed) {
  const fs::path model = folder_.path() / "model";
  fs::copy(GoldenPath("models/qwen3"), model);
  const fs::path text = folder_.path() / "text.json";
  WriteFile(text, "[1, 2]");
  QuantizeOptions options = Resumed(Options("out"));
  options.model = model;
  StopAfterABlock(options);
  fs::rename(model, folder_.path() / "moved");
  options.model = folder_.path() / "moved";
  Stop(options, kBlockSteps);  // no difference
  const uint64_t size = fs::file_size(options.model / "model.safetensors");
  FlipBit(options.model / "model.safetensors", size - 1);
  EXPECT_THAT(ErrorOf([&] { RunToTheEnd(options); }).what(),
              HasSubstr("model.model.safetensors: "));
  FlipBit(options.model / "model.safetensors", size - 1);
  options.calibration = {text.string()};
  EXPECT_THAT(ErrorOf([&] { RunToTheEnd(options); }).what(),
              HasSubstr("calibration: \"self\" before, [\"text.json: 6 bytes"));
}

TEST_F(ResumeTest, DamagedRecordsAreDroppedAndTheirBlocksDoneAgain) {
  RunToTheEnd(Options("whole"));
  const QuantizeOptions options = Resumed(Options("out"));
  for (const char* record : {"run", "text", "streams", "block-00000"}) {
    StopAfterABlock(options);
    const fs::path path = options.out / ".paroquant-state" / record;
    FlipBit(path, fs::file_size(path) / 2);
    const QuantizeSummary summary = RunToTheEnd(options);
    EXPECT_EQ(summary.resumed_blocks, path.filename() == "block-00000" ? 0 : 1);
    EXPECT_THAT(summary.notes, Contains(AllOf(HasSubstr(record), HasSubstr("checksum"))));
    EXPECT_EQ(Content(options.out), Content(folder_.path() / "whole")) << record;
    fs::remove_all(options.out);
  }
}

// A full disk, as far as the streams go.
TEST_F(ResumeTest, StreamsThatCannotBeSavedAreNoFault) {
  RunToTheEnd(Options("whole"));
  const QuantizeOptions options = Resumed(Options("out"));
  fs::create_directories(options.out / ".paroquant-state/streams/in the way");
  const QuantizeSummary summary = RunToTheEnd(options);
  EXPECT_THAT(summary.notes, Contains(HasSubstr("not kept")));
  EXPECT_EQ(Content(options.out), Content(folder_.path() / "whole"));
}

TEST_F(ResumeTest, ARecordThatWasCutOffIsDropped) {
  RunToTheEnd(Options("whole"));
  const QuantizeOptions options = Resumed(Options("out"));
  StopAfterABlock(options);
  fs::resize_file(options.out / kBlock0, fs::file_size(options.out / kBlock0) / 2);
  EXPECT_EQ(RunToTheEnd(options).resumed_blocks, 0);
  EXPECT_EQ(Content(options.out), Content(folder_.path() / "whole"));
}

TEST_F(ResumeTest, ARecordOfAnotherRunIsDropped) {
  RunToTheEnd(Options("whole"));
  const QuantizeOptions options = Resumed(Options("out"));
  StopAfterABlock(options);
  QuantizeOptions other = Options("other");
  other.seed = 5;
  StopAfterABlock(other);
  fs::copy_file(other.out / kBlock0, options.out / kBlock0, fs::copy_options::overwrite_existing);
  const QuantizeSummary summary = RunToTheEnd(options);
  EXPECT_EQ(summary.resumed_blocks, 0);
  EXPECT_THAT(summary.notes, Contains(HasSubstr("one of another run")));
  EXPECT_EQ(Content(options.out), Content(folder_.path() / "whole"));
}

TEST_F(ResumeTest, CompleteCheckpointsAreFoundToBeSo) {
  const QuantizeOptions options = Resumed(Options("out"));  // from the beginning: nothing is there
  const QuantizeSummary first = RunToTheEnd(options);
  EXPECT_FALSE(first.was_complete);
  const auto content = Content(options.out);
  const QuantizeSummary second = RunToTheEnd(options);
  EXPECT_TRUE(second.was_complete);
  EXPECT_EQ(Provenance(second), Provenance(first));
  EXPECT_EQ(Content(options.out), content);
  QuantizeOptions other = options;
  other.recipe.bits = 8;
  EXPECT_THAT(ErrorOf([&] { RunToTheEnd(other); }).what(),
              HasSubstr("settings.bits: 4 before, 8 now"));
  other.overwrite = true;
  EXPECT_FALSE(RunToTheEnd(other).was_complete);
}

TEST_F(ResumeTest, ARunThatOverwritesStillDoesWhenItIsResumed) {
  QuantizeOptions old = Options("out");
  old.recipe = method::LoadRecipe("rtn");
  old.recipe.bits = 8;
  RunToTheEnd(old);
  WriteFile(old.out / "stale.safetensors", "");
  QuantizeOptions options = Options("out");
  options.overwrite = true;
  StopAfterABlock(options);
  EXPECT_TRUE(fs::exists(options.out / "config.json"));
  options.overwrite = false;
  RunToTheEnd(Resumed(options));
  RunToTheEnd(Options("whole"));
  EXPECT_EQ(Content(options.out), Content(folder_.path() / "whole"));
}

TEST_F(ResumeTest, FilesThatARunDidNotMakeStay) {
  const QuantizeOptions options = Resumed(Options("out"));
  StopAfterABlock(options);
  WriteFile(options.out / "notes.txt", "mine");
  RunToTheEnd(options);
  EXPECT_EQ(ReadFile(options.out / "notes.txt"), "mine");
}

}  // namespace
}  // namespace paroquant::pipeline
