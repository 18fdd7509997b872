// Files that results go to: refused before the work, whole or not there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "paroquant/base/file.h"
#include "tests/cli/cli_process.h"

namespace paroquant {
namespace {

namespace fs = std::filesystem;
using testing::FolderContent;
using ::testing::HasSubstr;
using testing::kTinyLlama;
using testing::RunCli;
using testing::RunCliInScript;
using testing::TemporaryFolder;

// An absent model shows that the option was looked at before it.
TEST(ResultFileTest, PlacesThatTakeNoFileAreRefusedBeforeTheWork) {
  const TemporaryFolder folder;
  const std::string root = folder.path().string();
  fs::create_directory(folder.path() / "folder.json");
  const std::vector<std::vector<std::string>> commands = {
      {"inspect", "--model", "absent", "--json"},
      {"quantize", "--model", "absent", "--out", root + "/out", "--report"},
      {"eval-ppl", "--model", "absent", "--data", "c4", "--save-logits"},
  };
  for (std::vector<std::string> words : commands) {
    const std::string option = words.back();
    words.emplace_back();
    for (const char* place : {"/folder.json", "/absent/file.json"}) {
      words.back() = root + place;
      const auto result = RunCli(words);
      EXPECT_EQ(result.exit_code, 5) << result.error;
      EXPECT_THAT(result.error, HasSubstr(option + " " + words.back()));
    }
    words.back() = "/proc/file.json";
    const auto unwritable = RunCli(words);
    EXPECT_EQ(unwritable.exit_code, 5) << option;
    EXPECT_THAT(unwritable.error, HasSubstr("paroquant: " + option + " /proc/file.json: expected"));
    for (const char* name : {"config.json", "tokenizer.json", "quantization_report.json"}) {
      words.back() = root + "/" + name;
      const auto result = RunCli(words);
      EXPECT_EQ(result.exit_code, 2) << result.error;
      EXPECT_THAT(result.error, HasSubstr(option));
    }
  }
  EXPECT_FALSE(fs::exists(folder.path() / "out"));
}

TEST(ResultFileTest, AFullDiskLeavesTheOldFile) {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "result.json";
  const std::vector<std::string> words = {"inspect", "--model", kTinyLlama, "--json",
                                          file.string()};
  const std::string limited = "ulimit -f 1 && exec \"$@\" > /dev/null";
  const auto full = RunCliInScript(limited, words);
  EXPECT_EQ(full.exit_code, 5);
  EXPECT_THAT(full.error, HasSubstr("paroquant: " + file.string() + ": expected"));
  EXPECT_TRUE(FolderContent(folder.path()).empty());
  WriteFile(file, "old");
  EXPECT_EQ(RunCliInScript(limited, words).exit_code, 5);
  EXPECT_EQ(FolderContent(folder.path()),
            (std::map<std::string, std::string>{{"result.json", "old"}}));
  EXPECT_EQ(RunCli(words).exit_code, 0);
  EXPECT_TRUE(io::ReadJsonFile(file).is_object());
  EXPECT_EQ(FolderContent(folder.path()).size(), 1U);
}

TEST(ResultFileTest, LinksAndSpecialFilesAreWrittenInPlace) {
  const TemporaryFolder folder;
  const std::vector<std::string> words = {"tokenize", "--model", kTinyLlama, "--text", "Hello"};
  const std::string ids = "\"ids\"";
  EXPECT_THAT(RunCliInScript("\"$@\" --json /dev/stdout", words).out, HasSubstr("{\n  " + ids));
  EXPECT_THAT(RunCliInScript("\"$@\" --json /dev/stdout | cat", words).out, HasSubstr(ids));
  EXPECT_THAT(RunCliInScript("\"$@\" --json >(cat >&2) > /dev/null; sleep 0.2", words).error,
              HasSubstr(ids));
  WriteFile(folder.path() / "target", "");
  fs::create_symlink("target", folder.path() / "link");
  const std::string link = (folder.path() / "link").string();
  EXPECT_EQ(RunCliInScript("\"$@\" --json " + link, words).exit_code, 0);
  EXPECT_TRUE(fs::is_symlink(link));
  EXPECT_THAT(ReadFile(folder.path() / "target"), HasSubstr(ids));
}

}  // namespace
}  // namespace paroquant
