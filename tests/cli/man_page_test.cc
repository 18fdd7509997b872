#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "tests/cli/cli_process.h"

namespace paroquant {
namespace {

using testing::CliResult;
using ::testing::HasSubstr;
using testing::RunCli;
using testing::RunCliInScript;

// The arguments of "man" for every page; the program's own is the one of "".
std::vector<std::string> Pages() {
  std::vector<std::string> pages = testing::CommandNames();
  pages.insert(pages.begin(), "");
  return pages;
}

// A pipeline that starts with the page of a command.
CliResult RunWithPage(const std::string& command, const std::string& pipeline) {
  return RunCliInScript("\"$@\" | " + pipeline, command.empty()
                                                    ? std::vector<std::string>{"man"}
                                                    : std::vector<std::string>{"man", command});
}

TEST(ManPageTest, HasEveryOptionOfTheHelp) {
  for (const std::string& command : Pages()) {
    const CliResult page = RunWithPage(command, "sed 's/\\\\-/-/g'");
    EXPECT_EQ(page.exit_code, 0) << page.error;
    const std::set<std::string> options = testing::OptionNames(command);
    EXPECT_GE(options.size(), 2U);
    for (const std::string& option : options) {
      EXPECT_THAT(page.out, HasSubstr("\\fB" + option + "\\fR")) << command;
    }
  }
}

TEST(ManPageTest, NamesAllOtherPages) {
  const std::string page = RunWithPage("", "sed 's/\\\\-/-/g'").out;
  for (const std::string& command : testing::CommandNames()) {
    EXPECT_THAT(page, HasSubstr("\\fBparoquant-" + command + "\\fR(1)"));
  }
}

TEST(ManPageTest, NamesEveryExitStatus) {
  const std::string page = RunWithPage("", "cat").out;
  for (const char* code : {"0", "1", "2", "3", "4", "5", "6", "130", "141"}) {
    EXPECT_THAT(page, HasSubstr(".TP\n\\fB" + std::string(code) + "\\fR\n"));
  }
}

TEST(ManPageTest, GroffHasNothingToSayAgainstIt) {
  if (RunCliInScript("command -v groff", {}).exit_code != 0) {
    GTEST_SKIP() << "groff is not installed";
  }
  for (const std::string& command : Pages()) {
    const CliResult page = RunWithPage(command, "groff -man -ww -Tascii -P -cbou");
    EXPECT_EQ(page.exit_code, 0);
    EXPECT_EQ(page.error, "") << command;
    EXPECT_THAT(page.out, HasSubstr("SYNOPSIS\n       paroquant"));
    for (const char* section : {"DESCRIPTION", "EXAMPLES", "EXIT STATUS"}) {
      EXPECT_THAT(page.out, HasSubstr(section));
    }
    EXPECT_THAT(page.out, HasSubstr("--help-all"));
  }
}

TEST(ManPageTest, MandocFindsNoError) {
  if (RunCliInScript("command -v mandoc", {}).exit_code != 0) {
    GTEST_SKIP() << "mandoc is not installed";
  }
  for (const std::string& command : Pages()) {
    const CliResult page = RunWithPage(command, "mandoc -T lint -W error");
    EXPECT_EQ(page.exit_code, 0) << page.out;
  }
}

}  // namespace
}  // namespace paroquant
