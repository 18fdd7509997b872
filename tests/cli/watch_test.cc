// What a command shows while it works: on a terminal, in a log, in a file, and when it is asked.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "paroquant/base/file.h"
#include "tests/cli/cli_process.h"

namespace paroquant {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using testing::CliResult;
using testing::DataPath;
using testing::FolderContent;
using testing::kTinyLlama;
using testing::RunCli;
using testing::RunCliInScript;
using testing::TemporaryFolder;

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

constexpr char kLogLine[] = "[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:.]{12} [a-z]+: .*";

std::vector<std::string> Split(const std::string& text, char separator) {
  std::istringstream stream(text);
  std::vector<std::string> parts;
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

class WatchTest : public ::testing::Test {
 protected:
  std::vector<std::string> Quantize(const std::vector<std::string>& more = {}) const {
    return testing::QuantizeTinyLlama(out_, 8, 128, more);
  }
  // All that the program writes to a terminal of so many columns.
  CliResult OnTerminal(int columns, const std::string& environment,
                       const std::vector<std::string>& words) const {
    return RunCliInScript("command=$(printf '%q ' \"$@\"); TERM=xterm " + environment +
                              " script -qec \"stty cols " + std::to_string(columns) +
                              "; $command\" /dev/null < /dev/null",
                          words);
  }

  TemporaryFolder folder_;
  const fs::path out_ = folder_.path() / "out";
};

// The lines of progress that were drawn over each other.
std::vector<std::string> DrawnLines(const std::string& output) {
  std::vector<std::string> lines;
  static const std::regex drawn("\r([^\r\n]*)\x1B\\[K");
  for (std::sregex_iterator it(output.begin(), output.end(), drawn), end; it != end; ++it) {
    lines.push_back((*it)[1]);
  }
  return lines;
}

TEST_F(WatchTest, ATerminalHasOneLineThatIsNeverTooLong) {
  for (const int columns : {20, 80, 200}) {
    const CliResult result = OnTerminal(columns, "", Quantize({"--overwrite"}));
    ASSERT_EQ(result.exit_code, 0) << result.out;
    const std::vector<std::string> lines = DrawnLines(result.out);
    ASSERT_GE(lines.size(), 2U);
    for (const std::string& line : lines) EXPECT_LT(line.size(), static_cast<size_t>(columns));
    const std::string& last = lines.back();
    EXPECT_EQ(columns == 20, last.find("quantizing") == std::string::npos) << last;
    EXPECT_THAT(last, HasSubstr("100%"));
    if (columns == 200) {
      EXPECT_THAT(last, AllOf(HasSubstr("held-out loss"), HasSubstr("memory")));
    }
  }
}

TEST_F(WatchTest, TerminalsThatCannotRedrawGetPlainLines) {
  const CliResult dumb = OnTerminal(80, "TERM=dumb", Quantize());
  EXPECT_EQ(dumb.exit_code, 0);
  EXPECT_THAT(dumb.out, AllOf(Not(HasSubstr("\x1B")), HasSubstr("block 3/3")));
}

TEST_F(WatchTest, NoColorIsHonoured) {
  const CliResult result = OnTerminal(80, "NO_COLOR=1", Quantize());
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, Not(HasSubstr("\x1B[3")));  // a colour
  EXPECT_FALSE(DrawnLines(result.out).empty());
}

TEST_F(WatchTest, WithoutATerminalThereIsALineForEachBlock) {
  const CliResult result = RunCli(Quantize());
  ASSERT_EQ(result.exit_code, 0);
  std::vector<std::string> lines = Split(result.error, '\n');
  ASSERT_GE(lines.size(), 4U) << result.error;
  EXPECT_THAT(result.error, Not(HasSubstr("\r")));
  for (int block = 1; block <= 3; ++block) {
    const std::string start = "block " + std::to_string(block) + "/3, layer " +
                              std::to_string(7 * block) + "/21, held-out loss ";
    const auto found = std::ranges::find_if(lines, [&](const std::string& line) {
      return line.starts_with("quantizing: ") && line.find(start) != std::string::npos &&
             line.find(", done, memory ") != std::string::npos;
    });
    EXPECT_NE(found, lines.end()) << start << "\n" << result.error;
  }
  EXPECT_THAT(lines[lines.size() - 1], HasSubstr("100%"));
}

TEST_F(WatchTest, NothingIsShownToThoseWhoWantNothing) {
  const std::vector<std::string> only_errors = {"--no-progress", "--log-level", "error"};
  EXPECT_EQ(RunCli(Quantize(only_errors)).error, "");
  EXPECT_EQ(RunCli(Quantize({"--overwrite", "--quiet"})).error, "");
}

TEST_F(WatchTest, TheLogFileHasEverythingWithTimes) {
  const std::string log = (folder_.path() / "log").string();
  ASSERT_EQ(RunCli(Quantize({"--quiet", "--log-file", log})).exit_code, 0);
  const std::string first = ReadFile(log);
  for (const std::string& line : Split(first, '\n')) {
    EXPECT_THAT(line, MatchesRegex(kLogLine));
  }
  EXPECT_THAT(first, AllOf(HasSubstr(" quantize --model "), HasSubstr("threads"),
                           HasSubstr("model.layers.2.mlp.down_proj"), HasSubstr("exit code 0")));
  // Added to, with the error that ends a run.
  EXPECT_EQ(RunCli(Quantize({"--log-file", log, "--log-level", "error"})).exit_code, 2);
  const std::string second = ReadFile(log);
  EXPECT_TRUE(second.starts_with(first));
  EXPECT_THAT(second.substr(first.size()), HasSubstr("error: " + out_.string()));
}

TEST_F(WatchTest, EveryCommandTakesALogFile) {
  const std::string log = (folder_.path() / "log").string();
  for (const char* command :
       {"quantize", "eval-ppl", "verify", "inspect", "convert", "generate", "tokenize"}) {
    const CliResult result = RunCli({command, "--log-file"});
    EXPECT_THAT(result.error, AllOf(HasSubstr("--log-file"), Not(HasSubstr("known option"))));
  }
  ASSERT_EQ(RunCli({"inspect", "--model", kTinyLlama, "--log-file", log}).exit_code, 0);
  EXPECT_THAT(ReadFile(log), HasSubstr("exit code 0"));
}

TEST_F(WatchTest, ALogFileThatCannotBeWrittenIsRefusedBeforeTheWork) {
  const std::string absent = (folder_.path() / "absent/log").string();
  for (const std::string& path : {absent, folder_.path().string()}) {
    const CliResult result = RunCli(Quantize({"--log-file", path}));
    EXPECT_EQ(result.exit_code, 5) << result.error;
    EXPECT_THAT(result.error, HasSubstr("--log-file " + path));
    EXPECT_FALSE(fs::exists(out_));
  }
}

// With --overwrite it would go with the rest of OUT, and a new OUT would not be empty.
TEST_F(WatchTest, ALogFileInTheOutputFolderIsRefusedBeforeTheWork) {
  fs::create_directories(out_ / "logs");
  fs::create_symlink(out_, folder_.path() / "link");
  for (const char* command : {"quantize", "convert"}) {
    for (const fs::path& log :
         {out_ / "log", out_ / "logs/log", out_ / "logs/../log", folder_.path() / "link/log"}) {
      std::vector<std::string> words = {command,       "--model",     kTinyLlama,   "--out",
                                        out_.string(), "--overwrite", "--log-file", log.string()};
      if (std::string(command) == "convert") words.insert(words.end(), {"--format", "awq"});
      const CliResult result = RunCli(words);
      EXPECT_EQ(result.exit_code, 2) << result.error;
      EXPECT_TRUE(testing::HasFourParts(result.error));
      EXPECT_THAT(result.error, HasSubstr("a file outside the output folder"));
      EXPECT_FALSE(fs::exists(log));
    }
  }
  EXPECT_EQ(
      RunCli({"inspect", "--model", kTinyLlama, "--log-file", (out_ / "log").string()}).exit_code,
      0);
}

TEST_F(WatchTest, NoLogFileIsCalledDash) {
  const CliResult result = RunCliInScript("cd \"$2\" && \"$1\" inspect --model \"$3\" --log-file -",
                                          {folder_.path().string(), kTinyLlama});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_TRUE(testing::HasFourParts(result.error));
  EXPECT_FALSE(fs::exists(folder_.path() / "-"));
}

TEST_F(WatchTest, TheLogFileSaysThatMemoryRanOut) {
  const std::string limited = "ulimit -v 170000 && exec \"$@\"";
  if (RunCliInScript(limited, {"--version"}).exit_code != 0) GTEST_SKIP() << "needs more memory";
  const std::string text = (folder_.path() / "text.txt").string();
  std::string words;
  for (int i = 0; i < 4'000'000; ++i) words += "the words ";
  WriteFile(text, words);
  const std::string log = (folder_.path() / "log").string();
  const CliResult result = RunCliInScript(
      limited, {"tokenize", "--model", kTinyLlama, "--file", text, "--log-file", log});
  EXPECT_EQ(result.exit_code, 5);
  EXPECT_TRUE(testing::HasFourParts(result.error));
  const std::string message = result.error.substr(std::string("paroquant: ").size());
  EXPECT_THAT(message, HasSubstr("memory: expected enough of it for tokenize"));
  const std::vector<std::string> lines = Split(ReadFile(log), '\n');
  for (const std::string& line : lines) EXPECT_THAT(line, MatchesRegex(kLogLine));
  EXPECT_THAT(lines.back() + "\n", HasSubstr(" error: " + message));
}

TEST_F(WatchTest, AFullDiskUnderTheLogStopsNoRun) {
  const CliResult result =
      RunCli(Quantize({"--log-file", "/dev/full", "--no-progress", "--log-level", "error"}));
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.error, HasSubstr("the log is not complete"));
  EXPECT_EQ(std::ranges::count(result.error, '\n'), 1);
}

TEST_F(WatchTest, NobodyWhoReadsItStopsNoRun) {
  ASSERT_EQ(RunCli(Quantize()).exit_code, 0);
  const auto expected = FolderContent(out_);
  for (const char* script :
       {"exec \"$@\" 2>&-", "exec \"$@\" 2> >(exec true)", "exec \"$@\" 2> /dev/full"}) {
    fs::remove_all(out_);
    EXPECT_EQ(RunCliInScript(script, Quantize()).exit_code, 0) << script;
    EXPECT_EQ(FolderContent(out_), expected) << script;
  }
}

TEST_F(WatchTest, ASignalAsksForTheStatusAndChangesNothing) {
  ASSERT_EQ(RunCli(Quantize()).exit_code, 0);
  const auto expected = FolderContent(out_);
  fs::remove_all(out_);
  const std::string script = "\"$@\" & until [[ -e " + (out_ / ".paroquant-state/text").string() +
                             " ]] || ! kill -0 $!; do sleep 0.01; done; kill -USR1 $!; wait $!";
  const CliResult result = RunCliInScript(script, Quantize({"--quiet"}));
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(FolderContent(out_), expected);
  EXPECT_THAT(result.error, AllOf(HasSubstr("paroquant: quantizing: "), HasSubstr(" elapsed"),
                                  HasSubstr("memory "), HasSubstr("budget for activations")));
}

// Those that know nothing of how far they are live on too.
TEST_F(WatchTest, ASignalEndsNoCommand) {
  for (const char* command : {"inspect", "generate"}) {
    std::vector<std::string> words = {command, "--model", kTinyLlama};
    if (std::string(command) == "generate") {
      words.insert(words.end(), {"--prompt", "The", "--max-tokens", "200"});
    }
    const CliResult result = RunCliInScript(
        "\"$@\" & for i in 1 2 3 4 5 6 7 8; do sleep 0.05; kill -USR1 $! 2> /dev/null; done; wait "
        "$!",
        words);
    EXPECT_EQ(result.exit_code, 0) << command << result.error;
  }
}

TEST_F(WatchTest, EvaluationShowsItsFiguresSoFar) {
  const CliResult result = RunCli({"eval-ppl", "--model", kTinyLlama, "--baseline", kTinyLlama,
                                   "--data", DataPath("tiny-llama/sample_evaluation.txt").string(),
                                   "--window", "64", "--max-windows", "4"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.error,
              AllOf(HasSubstr("evaluating: 4/4, perplexity "), HasSubstr("KL divergence 0.00000")));
}

}  // namespace
}  // namespace paroquant
