// What the program says about itself, and how it fits on a screen.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <regex>
#include <sstream>

#include "tests/cli/cli_process.h"

namespace paroquant {
namespace {

using testing::CliResult;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::RunCli;
using testing::RunCliInScript;

constexpr size_t kScreenLines = 24;
constexpr size_t kScreenColumns = 80;

std::vector<std::string> Lines(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// The arguments that ask for help of the program and of each of its commands.
std::vector<std::vector<std::string>> AllThatHaveHelp() {
  std::vector<std::vector<std::string>> all = {{}};
  for (const std::string& command : testing::CommandNames()) all.push_back({command});
  return all;
}

CliResult RunInColumns(size_t columns, std::vector<std::string> words, const std::string& flag) {
  words.push_back(flag);
  return RunCliInScript("exec env COLUMNS=" + std::to_string(columns) + " \"$@\"", words);
}

size_t Widest(const std::string& text) {
  size_t widest = 0;
  for (const std::string& line : Lines(text)) widest = std::max(widest, line.size());
  return widest;
}

TEST(HelpTest, FitsOnAScreen) {
  for (const auto& words : AllThatHaveHelp()) {
    const CliResult help = RunInColumns(kScreenColumns, words, "--help");
    EXPECT_EQ(help.exit_code, 0) << help.error;
    EXPECT_LE(Lines(help.out).size(), kScreenLines) << help.out;
    EXPECT_LE(Widest(help.out), kScreenColumns) << help.out;
    EXPECT_EQ(RunCli(words.empty() ? std::vector<std::string>{"-h"}
                                   : std::vector<std::string>{words.front(), "-h"})
                  .out,
              help.out);
  }
}

TEST(HelpTest, KeepsToTheWidthOfTheTerminal) {
  for (const auto& words : AllThatHaveHelp()) {
    for (const size_t columns : {20, 33, 60, 100}) {
      for (const char* flag : {"--help", "--help-all"}) {
        const CliResult help = RunInColumns(columns, words, flag);
        EXPECT_EQ(help.exit_code, 0) << help.error;
        // Examples are broken where a shell can read on.
        EXPECT_LE(Widest(help.out.substr(0, help.out.find("\nExamples:"))), columns) << help.out;
      }
    }
  }
  // What is no width is not taken for one.
  const std::string usual = RunInColumns(kScreenColumns, {"verify"}, "--help").out;
  for (const char* columns : {"", "0", "-3", "wide"}) {
    EXPECT_EQ(
        RunCliInScript("exec env COLUMNS=" + std::string(columns) + " \"$@\"", {"verify", "-h"})
            .out,
        usual);
  }
}

TEST(HelpTest, WhatItLeavesOutItNames) {
  const std::regex option("--[a-z][a-z0-9-]*");
  for (const auto& words : AllThatHaveHelp()) {
    const std::string help = RunInColumns(kScreenColumns, words, "--help").out;
    const std::string all = RunInColumns(kScreenColumns, words, "--help-all").out;
    for (std::sregex_iterator i(all.begin(), all.end(), option), end; i != end; ++i) {
      if (i->str() == "--help" || i->str() == "--help-all") continue;
      EXPECT_THAT(help, HasSubstr(i->str()));
    }
  }
  const std::string all = RunCli({"quantize", "--help-all"}).out;
  EXPECT_THAT(all, HasSubstr("Options of all commands:"));
  EXPECT_THAT(all, HasSubstr("--override REGEX:bits=B,group-size=G"));
  EXPECT_THAT(RunCli({"quantize", "--help"}).out, Not(HasSubstr("REGEX:bits")));
}

TEST(HelpTest, CommandsForPackagersAreInTheFullHelp) {
  const std::string help = RunCli({"--help"}).out;
  EXPECT_THAT(help, HasSubstr("\n  quantize "));
  EXPECT_THAT(help, Not(HasSubstr("\n  completion ")));
  EXPECT_THAT(help, HasSubstr("With --help-all also the commands completion and man."));
  const std::string all = RunCli({"--help-all"}).out;
  EXPECT_THAT(all, HasSubstr("\nMore commands:\n  completion  print a script"));
  EXPECT_THAT(all, HasSubstr("\n  man         print the manual page"));
}

TEST(HelpTest, IsACommandToo) {
  EXPECT_EQ(RunCli({"help"}).out, RunCli({"--help"}).out);
  EXPECT_EQ(RunCli({"help", "quantize"}).out, RunCli({"quantize", "--help"}).out);
  const CliResult unknown = RunCli({"help", "quantise"});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.error, HasSubstr("Did you mean quantize?"));
}

TEST(HelpTest, TheFullOneHasExamples) {
  EXPECT_THAT(
      RunCli({"verify", "--help-all"}).out,
      HasSubstr("\nparoquant verify --model MODEL-4bit --source MODEL --target transformers\n"));
}

TEST(HelpTest, VersionTellsTheInstructionSet) {
  const CliResult result = RunCli({"--version"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, HasSubstr("paroquant "));
  EXPECT_THAT(result.out, HasSubstr("\nkernels: "));
  EXPECT_THAT(RunCliInScript("exec env PAROQUANT_INSTRUCTIONS=portable \"$@\"", {"--version"}).out,
              HasSubstr("\nkernels: portable"));
}

// The processor time that ended children of this process took.
double ChildSeconds() {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// The least of some runs. Processor time, as others may use the machine too.
TEST(HelpTest, StartsInLessThanTwentyMilliseconds) {
  double least = 1.0;
  for (int i = 0; i < 10; ++i) {
    const double before = ChildSeconds();
    RunCli({"--version"});
    least = std::min(least, ChildSeconds() - before);
  }
  EXPECT_LT(least, 0.020);
}

// The reader is gone before the program starts.
TEST(HelpTest, APipeThatNobodyReadsEndsItWithoutAWord) {
  const std::vector<std::vector<std::string>> cases = {
      {"--help"},
      {"recipe", "show"},
      {"inspect", "--model", testing::kTinyLlama},
      {"inspect", "--model", testing::kTinyLlama, "--json", "-"},
      {"tokenize", "--model", testing::kTinyLlama, "--text", "a"},
  };
  for (const auto& words : cases) {
    const CliResult result = RunCliInScript(
        "mkfifo=$(mktemp -u); mkfifo \"$mkfifo\"; true < \"$mkfifo\" & exec 3> \"$mkfifo\"; wait; "
        "rm \"$mkfifo\"; \"$@\" >&3; echo $? >&2",
        words);
    EXPECT_EQ(result.error, "141\n") << words.front();
  }
}

TEST(HelpTest, WorksInAnyLocale) {
  for (const char* locale : {"", "C", "POSIX", "nonsense"}) {
    const CliResult result = RunCliInScript(
        "exec env --unset=LANG LC_ALL=" + std::string(locale) + " \"$@\"", {"recipe", "show"});
    EXPECT_EQ(result.exit_code, 0) << result.error;
    EXPECT_EQ(result.error, "");
    EXPECT_THAT(result.out, HasSubstr("\"damping\": 0.01"));
  }
}

}  // namespace
}  // namespace paroquant
