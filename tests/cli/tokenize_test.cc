#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "paroquant/base/file.h"
#include "tests/cli/cli_process.h"

namespace paroquant {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::kTinyLlama;
using testing::RunCli;
using testing::RunCliInScript;
using testing::TemporaryFolder;

const std::string kLines = "{\"text\": \"a\"}\n{\"text\": \"\"}\n{\"text\": \"b\"}\n";

class TokenizeTest : public ::testing::Test {
 protected:
  std::string Write(const std::string& name, const std::string& content) const {
    WriteFile(folder_.path() / name, content);
    return (folder_.path() / name).string();
  }

  const TemporaryFolder folder_;
};

std::vector<std::string> Tokenize(const std::string& option, const std::string& value) {
  return {"tokenize", "--model", kTinyLlama, option, value};
}

TEST_F(TokenizeTest, LinesOfAnyFileGiveALineEach) {
  const auto expected = RunCli(Tokenize("--jsonl", Write("a.jsonl", kLines)));
  EXPECT_EQ(expected.exit_code, 0) << expected.error;
  EXPECT_EQ(std::count(expected.out.begin(), expected.out.end(), '\n'), 3);
  EXPECT_THAT(expected.out, HasSubstr("\n{\"ids\":[]}\n"));
  EXPECT_EQ(RunCli(Tokenize("--jsonl", Write("a.txt", kLines))).out, expected.out);
  EXPECT_EQ(RunCli(Tokenize("--jsonl", Write("lines", kLines))).out, expected.out);
  const auto words = Tokenize("--jsonl", "/dev/stdin");
  const std::string file = Write("stdin", kLines);
  EXPECT_EQ(RunCliInScript("cat " + file + " | \"$@\"", words).out, expected.out);
  EXPECT_EQ(RunCliInScript("\"$@\" < " + file, words).out, expected.out);
  const auto none = RunCli(Tokenize("--jsonl", Write("empty", "")));
  EXPECT_EQ(none.exit_code, 0) << none.error;
  EXPECT_EQ(none.out, "");
}

TEST_F(TokenizeTest, LinesThatHoldNoTextAreNamed) {
  struct LineCase {
    std::string content;
    std::string message;
  };
  for (const LineCase& c : std::vector<LineCase>{
           {"{\"text\": \"a\"}\n\n{\"text\": \"b\"}\n", "lines:2: expected a JSON object"},
           {"{\"text\": \"a\"}\n \r\n", "lines:2: expected a JSON object"},
           {"{\"text\": \"a\"}\n{\"text\": 5}\n", "lines:2: expected a key \"text\""},
           {"{\"text\": \"a\"}\nb\n", "lines:2: expected valid JSON"},
           {"{\"text\": \"\xFF\"}\n", "lines:1: expected text in UTF-8"}}) {
    const auto result = RunCli(Tokenize("--jsonl", Write("lines", c.content)));
    EXPECT_EQ(result.exit_code, 3) << c.content;
    EXPECT_THAT(result.error, HasSubstr(c.message));
    EXPECT_EQ(result.out, "");
  }
}

TEST_F(TokenizeTest, FilesAreUtf8AndMayBePacked) {
  const auto expected = RunCli(Tokenize("--text", "Hello\n"));
  const std::string file = Write("a.txt", "Hello\n");
  EXPECT_EQ(RunCli(Tokenize("--file", file)).out, expected.out);
  EXPECT_EQ(RunCliInScript("gzip -k " + file + "; \"$@\"", Tokenize("--file", file + ".gz")).out,
            expected.out);
  const auto result = RunCli(Tokenize("--file", Write("bad.txt", "a\nb\xFF\n")));
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.error, HasSubstr("bad.txt:2: expected text in UTF-8"));
  EXPECT_THAT(result.error, HasSubstr("iconv"));
}

}  // namespace
}  // namespace paroquant
