#include "paroquant/io/output_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <optional>
#include <string>

#include "paroquant/base/file.h"
#include "tests/io/test_files.h"
#include "tests/testing/error_of.h"
#include "tests/testing/paths.h"

namespace paroquant::io {
namespace {

namespace fs = std::filesystem;

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using testing::ErrorOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

void StageText(OutputFolder& folder, const std::string& name, const std::string& text) {
  WriteFile(folder.Stage(name), text);
}

TEST(OutputFolderTest, FilesAppearAtCommitOnly) {
  const testing::TemporaryFolder root;
  OutputFolder folder = OutputFolder::Create(root.path() / "a" / "out", false);
  StageText(folder, "config.json", "{}");
  StageText(folder, "model.safetensors", "x");
  EXPECT_THAT(NamesIn(folder.path()), Each(AllOf(StartsWith("."), EndsWith(".tmp"))));
  folder.Commit();
  EXPECT_THAT(NamesIn(root.path() / "a" / "out"), ElementsAre("config.json", "model.safetensors"));
  EXPECT_EQ(ReadFile(folder.path() / "config.json"), "{}");
}

TEST(OutputFolderTest, CommittedFilesStay) {
  const testing::TemporaryFolder root;
  {
    OutputFolder folder = OutputFolder::Create(root.path() / "out", false);
    StageText(folder, "f", "x");
    folder.Commit();
  }
  EXPECT_THAT(NamesIn(root.path() / "out"), ElementsAre("f"));
}

TEST(OutputFolderTest, WithoutCommitNothingIsLeft) {
  const testing::TemporaryFolder root;
  {
    OutputFolder folder = OutputFolder::Create(root.path() / "a" / "out" / "", false);
    StageText(folder, "f", "x");
    folder.Stage("never written");
  }
  EXPECT_THAT(NamesIn(root.path()), IsEmpty());
  fs::create_directory(root.path() / "empty");
  { OutputFolder::Create(root.path() / "empty", false).Stage("f"); }
  EXPECT_THAT(NamesIn(root.path()), ElementsAre("empty")) << "it was not created by OutputFolder";
}

TEST(OutputFolderTest, FilesOfOthersInANewFolderAreKept) {
  const testing::TemporaryFolder root;
  {
    const OutputFolder folder = OutputFolder::Create(root.path() / "out", false);
    WriteFile(root.path() / "out" / "log.txt", "x");
  }
  EXPECT_THAT(NamesIn(root.path() / "out"), ElementsAre("log.txt"));
}

TEST(OutputFolderTest, MovedFromFolderRemovesNothing) {
  const testing::TemporaryFolder root;
  std::optional<OutputFolder> folder = OutputFolder::Create(root.path() / "out", false);
  OutputFolder target = std::move(*folder);
  StageText(target, "f", "x");
  folder.reset();
  target.Commit();
  EXPECT_THAT(NamesIn(root.path() / "out"), ElementsAre("f"));
}

TEST(OutputFolderTest, FolderWithContentIsRefusedUnlessOverwrite) {
  const testing::TemporaryFolder root;
  WriteFile(root.path() / "notes", "x");
  const Error error = ErrorOf([&] { OutputFolder::Create(root.path(), false); });
  EXPECT_EQ(error.kind(), ErrorKind::kUsage);
  EXPECT_THAT(error.what(), HasSubstr("\"notes\" in it"));
  EXPECT_THAT(error.parts().hint, HasSubstr("--overwrite"));
  EXPECT_EQ(ErrorOf([&] { OutputFolder::Create(root.path() / "notes", true); }).kind(),
            ErrorKind::kUsage);
}

TEST(OutputFolderTest, OneAtATime) {
  const testing::TemporaryFolder root;
  OutputFolder folder = OutputFolder::Create(root.path(), false);
  StageText(folder, "f", "x");
  for (const bool overwrite : {false, true}) {
    EXPECT_THAT(ErrorOf([&] { OutputFolder::Create(root.path(), overwrite); }).what(),
                HasSubstr("a run at work on it"));
    EXPECT_EQ(ErrorOf([&] { OutputFolder::RequireUsable(root.path(), overwrite); }).kind(),
              ErrorKind::kUsage);
  }
  EXPECT_EQ(ErrorOf([&] { OutputFolder::Resume(root.path()); }).kind(), ErrorKind::kUsage);
}

TEST(OutputFolderTest, ResumeReplacesWhatAKilledRunLeftAndSparesTheRest) {
  const testing::TemporaryFolder root;
  for (const char* name : {".a.tmp", ".b.tmp", "a", "notes"}) WriteFile(root.path() / name, "old");
  EXPECT_FALSE(OutputFolder::HoldsLeftoversOnly(root.path()));
  OutputFolder folder = OutputFolder::Resume(root.path());
  StageText(folder, "a", "new");
  folder.Commit();
  EXPECT_THAT(NamesIn(root.path()), ElementsAre("a", "notes"));
  EXPECT_EQ(ReadFile(root.path() / "a"), "new");
}

TEST(OutputFolderTest, LeftoversOfAKilledRunAreRecognised) {
  const testing::TemporaryFolder root;
  EXPECT_FALSE(OutputFolder::HoldsLeftoversOnly(root.path()));
  EXPECT_FALSE(OutputFolder::HoldsLeftoversOnly(root.path() / "none"));
  WriteFile(root.path() / ".model.safetensors.tmp", "");
  EXPECT_TRUE(OutputFolder::HoldsLeftoversOnly(root.path()));
}

TEST(OutputFolderTest, OverwriteReplacesTheOldFilesAtCommit) {
  const testing::TemporaryFolder root;
  for (const char* name : {"config.json", "model-00001-of-00002.safetensors",
                           ".model.safetensors.tmp", "tokenizer.json"}) {
    WriteFile(root.path() / name, "old");
  }
  fs::create_directory(root.path() / "subfolder");
  OutputFolder folder = OutputFolder::Create(root.path(), true);
  for (const char* name : {"config.json", "model.safetensors", "tokenizer.json"}) {
    StageText(folder, name, "new");
  }
  EXPECT_EQ(ReadFile(root.path() / "config.json"), "old");
  folder.Commit();
  EXPECT_THAT(NamesIn(root.path()),
              ElementsAre("config.json", "model.safetensors", "subfolder", "tokenizer.json"));
  EXPECT_EQ(ReadFile(root.path() / "config.json"), "new");
  EXPECT_EQ(ReadFile(root.path() / "tokenizer.json"), "new");
}

TEST(OutputFolderTest, OverwriteWithoutCommitLeavesTheOldFiles) {
  const testing::TemporaryFolder root;
  WriteFile(root.path() / "config.json", "old");
  WriteFile(root.path() / "extra", "old");
  {
    OutputFolder folder = OutputFolder::Create(root.path(), true);
    StageText(folder, "config.json", "new");
  }
  EXPECT_THAT(NamesIn(root.path()), ElementsAre("config.json", "extra"));
  EXPECT_EQ(ReadFile(root.path() / "config.json"), "old");
}

TEST(OutputFolderTest, OverwriteReplacesLinksAndNotWhatTheyPointTo) {
  const testing::TemporaryFolder root;
  WriteFile(root.path() / "source", "source");
  fs::create_directory(root.path() / "out");
  for (const char* name : {"a", "b", "config.json"}) {
    fs::create_symlink(root.path() / "source", root.path() / "out" / name);
  }
  OutputFolder folder = OutputFolder::Create(root.path() / "out", true);
  StageText(folder, "a", "new");
  folder.Commit();
  EXPECT_THAT(NamesIn(root.path() / "out"), ElementsAre("a"));
  EXPECT_EQ(ReadFile(root.path() / "source"), "source");
}

TEST(OutputFolderTest, OverwriteSparesFoldersThatHoldNoModel) {
  const testing::TemporaryFolder root;
  WriteFile(root.path() / "thesis.txt", "years of work");
  const Error error = ErrorOf([&] { OutputFolder::Create(root.path(), true); });
  EXPECT_EQ(error.kind(), ErrorKind::kUsage);
  EXPECT_THAT(NamesIn(root.path()), ElementsAre("thesis.txt"));
}

TEST(OutputFolderTest, FilesMayLieInAFolder) {
  const testing::TemporaryFolder root;
  const fs::path out = root.path() / "out";
  {
    OutputFolder folder = OutputFolder::Create(out, false);
    StageText(folder, "sub/f", "x");
    StageText(folder, "config.json", "{}");
    EXPECT_FALSE(fs::exists(out / "sub"));
    folder.Commit();
  }
  EXPECT_EQ(ReadFile(out / "sub" / "f"), "x");
  OutputFolder folder = OutputFolder::Create(out, true);
  StageText(folder, "sub/g", "y");
  folder.Commit();
  EXPECT_THAT(NamesIn(out / "sub"), ElementsAre("g"));
}

TEST(OutputFolderTest, NothingIsWrittenThroughALinkedFolder) {
  const testing::TemporaryFolder root;
  const fs::path out = root.path() / "out";
  fs::create_directory(root.path() / "elsewhere");
  {
    OutputFolder folder = OutputFolder::Create(out, false);
    fs::create_directory_symlink(root.path() / "elsewhere", out / "sub");
    StageText(folder, "sub/f", "x");
    EXPECT_EQ(ErrorOf([&] { folder.Commit(); }).kind(), ErrorKind::kSystem);
  }
  EXPECT_THAT(NamesIn(root.path() / "elsewhere"), IsEmpty());
}

TEST(OutputFolderTest, FailedCommitTakesBackWhatItPlaced) {
  const testing::TemporaryFolder root;
  fs::create_directories(root.path() / "out" / "b" / "in the way");
  {
    OutputFolder folder = OutputFolder::Create(root.path() / "out", true);
    for (const char* name : {"a", "b", "config.json"}) StageText(folder, name, "new");
    EXPECT_EQ(ErrorOf([&] { folder.Commit(); }).kind(), ErrorKind::kSystem);
  }
  EXPECT_THAT(NamesIn(root.path() / "out"), ElementsAre("b"));
}

TEST(OutputFolderTest, PathUnderAFileIsASystemError) {
  const testing::TemporaryFolder root;
  WriteFile(root.path() / "f", "x");
  EXPECT_EQ(ErrorOf([&] { OutputFolder::Create(root.path() / "f" / "out", false); }).kind(),
            ErrorKind::kSystem);
  EXPECT_EQ(ErrorOf([&] { OutputFolder::Create("", false); }).kind(), ErrorKind::kSystem);
}

TEST(OutputFolderTest, ReadOnlyFolderIsASystemError) {
  if (::geteuid() == 0) GTEST_SKIP() << "permissions do not bind the superuser";
  const testing::TemporaryFolder root;
  fs::permissions(root.path(), fs::perms::owner_read | fs::perms::owner_exec);
  EXPECT_EQ(ErrorOf([&] { OutputFolder::Create(root.path(), false); }).kind(), ErrorKind::kSystem);
  EXPECT_EQ(ErrorOf([&] { OutputFolder::Create(root.path() / "out", false); }).kind(),
            ErrorKind::kSystem);
}

}  // namespace
}  // namespace paroquant::io
