// The completion scripts, in the shells they are for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "paroquant/base/file.h"
#include "tests/cli/cli_process.h"

namespace paroquant {
namespace {

using testing::CliResult;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::RunCli;
using testing::RunCliInScript;
using testing::TemporaryFolder;
using ::testing::UnorderedElementsAre;

using Words = std::vector<std::string>;

// What bash offers for the last of these words, in a folder with two files and a folder.
class BashCompletionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    WriteFile(folder_.path() / "my recipe.json", "{}");
    WriteFile(folder_.path() / "text.txt", "");
    std::filesystem::create_directory(folder_.path() / "some model");
  }

  Words Offers(const Words& words) const {
    const CliResult result =
        RunCliInScript("set -u; program=$1; shift; source <(\"$program\" completion bash); cd '" +
                           folder_.path().string() +
                           "'; COMP_WORDS=(paroquant \"$@\"); COMP_CWORD=$#; _paroquant; "
                           "((${#COMPREPLY[@]} == 0)) || printf '%s\\n' \"${COMPREPLY[@]}\"",
                       words);
    EXPECT_EQ(result.error, "");
    std::istringstream lines(result.out);
    Words offers;
    for (std::string line; std::getline(lines, line);) offers.push_back(line);
    return offers;
  }

 private:
  TemporaryFolder folder_;
};

TEST_F(BashCompletionTest, CommandsComeFirst) {
  EXPECT_THAT(Offers({"ver"}), ElementsAre("verify"));
  EXPECT_THAT(Offers({"--ver"}), ElementsAre("--version"));
  Words all = Offers({""});
  std::erase_if(all, [](const std::string& word) { return word.starts_with("-"); });
  EXPECT_EQ(all, testing::CommandNames());
}

TEST_F(BashCompletionTest, OptionsOfTheCommandFollow) {
  EXPECT_THAT(Offers({"quantize", "--rec"}), ElementsAre("--recipe"));
  EXPECT_THAT(Offers({"verify", "--rec"}), IsEmpty());
  EXPECT_THAT(Offers({"quantize", "--plan", "--mod"}), ElementsAre("--model"));
  EXPECT_THAT(Offers({"quantize", ""}), Contains("--memory-budget"));
}

TEST_F(BashCompletionTest, ValuesOfOptionsAreOffered) {
  EXPECT_THAT(Offers({"quantize", "--recipe", "g"}), ElementsAre("gptq"));
  EXPECT_THAT(Offers({"quantize", "--recipe", "=", "g"}), ElementsAre("gptq"));
  EXPECT_THAT(Offers({"quantize", "--bits", "="}), ElementsAre("2", "3", "4", "8"));
  EXPECT_THAT(Offers({"quantize", "--bits", ""}), ElementsAre("2", "3", "4", "8"));
  EXPECT_THAT(Offers({"quantize", "--group-size", ""}), ElementsAre("32", "64", "128"));
  EXPECT_THAT(Offers({"convert", "--format", "compr"}), ElementsAre("compressed-tensors"));
  EXPECT_THAT(Offers({"verify", "--target", "vl"}), ElementsAre("vllm"));
  EXPECT_THAT(Offers({"eval-ppl", "--protocol", "lla"}), ElementsAre("llama.cpp"));
  EXPECT_THAT(Offers({"inspect", "--log-level", "w"}), ElementsAre("warning"));
  EXPECT_THAT(Offers({"quantize", "--seed", ""}), IsEmpty());
}

TEST_F(BashCompletionTest, PathsAreOfferedWhereTheyBelong) {
  EXPECT_THAT(Offers({"quantize", "--model", ""}), ElementsAre("some model"));
  EXPECT_THAT(Offers({"quantize", "--recipe", "m"}), ElementsAre("my recipe.json"));
  EXPECT_THAT(Offers({"tokenize", "--file", ""}),
              UnorderedElementsAre("my recipe.json", "text.txt", "some model"));
  EXPECT_THAT(Offers({"quantize", "--calib", "t"}), ElementsAre("text.txt"));
}

TEST_F(BashCompletionTest, ArgumentsWithoutANameAreOffered) {
  EXPECT_THAT(Offers({"recipe", "sh"}), ElementsAre("show"));
  EXPECT_THAT(Offers({"recipe", "show", "bl"}), ElementsAre("block"));
  EXPECT_THAT(Offers({"completion", "z"}), ElementsAre("zsh"));
  const Words shells = Offers({"completion", ""});
  for (const char* shell : {"bash", "zsh", "fish"}) EXPECT_THAT(shells, Contains(shell));
  EXPECT_THAT(Offers({"man", "verif"}), ElementsAre("verify"));
  EXPECT_THAT(Offers({"comp"}), ElementsAre("completion"));
  EXPECT_THAT(Offers({"recipe", "show", "--se"}), ElementsAre("--set"));
}

// Runs `check SCRIPT` in the shell of that name.
void ExpectAcceptedBy(const std::string& shell, const std::string& check) {
  const CliResult result =
      RunCliInScript("command -v " + shell +
                         " > /dev/null || exit 77; program=$1; f=$(mktemp); \"$program\" "
                         "completion " +
                         shell + " > \"$f\"; " + check + " \"$f\"; code=$?; rm \"$f\"; exit $code",
                     {});
  if (result.exit_code == 77) GTEST_SKIP() << shell << " is not installed";
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.error, "");
}

TEST(CompletionTest, BashAcceptsTheScript) { ExpectAcceptedBy("bash", "bash -n"); }
TEST(CompletionTest, ZshAcceptsTheScript) { ExpectAcceptedBy("zsh", "zsh -n"); }
TEST(CompletionTest, FishAcceptsTheScript) { ExpectAcceptedBy("fish", "fish -n"); }

TEST(CompletionTest, FishOffersOptionsAndValues) {
  const auto offers = [](const std::string& line) {
    return RunCliInScript(
        "command -v fish > /dev/null || exit 77; exec fish --no-config -c '$argv[1] completion "
        "fish | source; complete -C \"" +
            line + "\"' -- \"$1\"",
        {});
  };
  const CliResult options = offers("paroquant quantize --rec");
  if (options.exit_code == 77) GTEST_SKIP() << "fish is not installed";
  EXPECT_THAT(options.out, ::testing::HasSubstr("--recipe\thow to quantize"));
  EXPECT_THAT(offers("paroquant quantize --recipe gp").out, ::testing::HasSubstr("gptq"));
  EXPECT_THAT(offers("paroquant ver").out, ::testing::StartsWith("verify\t"));
}

// Each option of each command is in each script.
TEST(CompletionTest, ScriptsHaveAllOptions) {
  const std::string bash = RunCli({"completion", "bash"}).out;
  const std::string zsh = RunCli({"completion", "zsh"}).out;
  const std::string fish = RunCli({"completion", "fish"}).out;
  for (const std::string& command : testing::CommandNames()) {
    for (const std::string& option : testing::OptionNames(command)) {
      EXPECT_THAT(zsh, ::testing::HasSubstr(option)) << command;
      EXPECT_THAT(bash, ::testing::HasSubstr(option)) << command;
      EXPECT_THAT(fish, ::testing::HasSubstr("__fish_seen_subcommand_from " + command)) << command;
      EXPECT_THAT(fish, ::testing::HasSubstr(" -l " + option.substr(2) + " ")) << command;
    }
  }
}

}  // namespace
}  // namespace paroquant
