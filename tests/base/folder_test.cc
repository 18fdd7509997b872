#include "paroquant/base/folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "paroquant/base/file.h"
#include "tests/testing/error_of.h"
#include "tests/testing/paths.h"

namespace paroquant {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using testing::ErrorOf;

class FolderTest : public ::testing::Test {
 protected:
  FolderTest() {
    WriteFile(root_ / "file", "x");
    fs::create_directory(root_ / "folder");
    fs::create_symlink("folder", root_ / "link");
    fs::create_symlink("loop", root_ / "loop");
    fs::create_symlink("absent", root_ / "dangling");
  }

  const testing::TemporaryFolder temporary_;
  const fs::path root_ = temporary_.path();
  const fs::path too_long_ = root_ / std::string(256, 'a');
};

void ExpectSystemError(const Error& error, const fs::path& path, const std::string& reason) {
  EXPECT_EQ(error.kind(), ErrorKind::kSystem);
  EXPECT_EQ(error.parts().where, path);
  EXPECT_EQ(error.parts().found, reason);
}

TEST_F(FolderTest, TellsWhatIsAtAPath) {
  EXPECT_TRUE(IsRegularFile(root_ / "file"));
  EXPECT_FALSE(IsFolder(root_ / "file"));
  EXPECT_TRUE(IsFolder(root_ / "link"));
  EXPECT_FALSE(IsRegularFile(root_ / "link"));
  EXPECT_TRUE(IsFolderItself(root_ / "folder"));
  EXPECT_FALSE(IsFolderItself(root_ / "link"));
}

TEST_F(FolderTest, ASlashAtTheEndAndFoldersThatAreNotThereChangeNothing) {
  for (const char* folder : {"new", "new/", "folder", "folder/", "link/../new/."}) {
    EXPECT_TRUE(LiesIn(root_ / "new" / "log", root_ / folder) ==
                (std::string(folder).find("new") != std::string::npos))
        << folder;
  }
  EXPECT_TRUE(LiesIn(root_ / "new", root_ / "new/"));
  EXPECT_TRUE(LiesIn(root_ / "new/", root_ / "new"));
  EXPECT_TRUE(LiesIn(root_ / "link" / "a", root_ / "folder"));
  EXPECT_FALSE(LiesIn(root_ / "newer", root_ / "new"));
  EXPECT_TRUE(LiesIn(root_, "/"));
}

TEST_F(FolderTest, NothingIsWhereNothingCanBe) {
  for (const fs::path& path : {root_ / "absent", root_ / "dangling", root_ / "loop",
                               root_ / "loop" / "a", root_ / "file" / "a", too_long_}) {
    EXPECT_FALSE(Exists(path)) << path;
    EXPECT_FALSE(IsFolder(path)) << path;
    EXPECT_FALSE(IsRegularFile(path)) << path;
    EXPECT_FALSE(IsFolderItself(path)) << path;
  }
}

TEST_F(FolderTest, FaultsNameThePathAndTheReason) {
  const fs::path loop = root_ / "loop" / "a";
  ExpectSystemError(ErrorOf([&] { ResolvedPath(loop); }), loop,
                    "Too many levels of symbolic links");
  ExpectSystemError(ErrorOf([&] { ResolvedPath(too_long_); }), too_long_, "File name too long");
  ExpectSystemError(ErrorOf([&] { FolderEntries(loop); }), loop,
                    "Too many levels of symbolic links");
  ExpectSystemError(ErrorOf([&] { FolderEntries(too_long_); }), too_long_, "File name too long");
  ExpectSystemError(ErrorOf([&] { FolderEntries(root_ / "file"); }), root_ / "file",
                    "Not a directory");
  ExpectSystemError(ErrorOf([&] { RemoveEntry(root_ / "loop" / "a"); }), loop,
                    "Too many levels of symbolic links");
}

TEST_F(FolderTest, FoldersThatNobodyMayEnterAreNoAbsence) {
  if (::geteuid() == 0) GTEST_SKIP() << "nothing is forbidden to root";
  fs::permissions(root_ / "folder", fs::perms::none);
  const fs::path path = root_ / "folder" / "a";
  ExpectSystemError(ErrorOf([&] { Exists(path); }), path, "Permission denied");
  ExpectSystemError(ErrorOf([&] { IsFolder(path); }), path, "Permission denied");
  ExpectSystemError(ErrorOf([&] { IsFolderItself(path); }), path, "Permission denied");
}

TEST_F(FolderTest, EntriesAreSorted) {
  EXPECT_THAT(FolderEntries(root_), ElementsAre(root_ / "dangling", root_ / "file",
                                                root_ / "folder", root_ / "link", root_ / "loop"));
}

TEST_F(FolderTest, ResolvedPathsNeedNotExistToTheirEnd) {
  EXPECT_EQ(ResolvedPath(root_ / "link" / ".." / "folder" / "new"),
            fs::canonical(root_) / "folder" / "new");
  EXPECT_EQ(ResolvedPath(root_ / "file" / "new"), fs::canonical(root_) / "file" / "new");
}

TEST_F(FolderTest, RemovesWhatIsThere) {
  RemoveEntry(root_ / "file");
  RemoveEntry(root_ / "file");
  EXPECT_FALSE(Exists(root_ / "file"));
}

}  // namespace
}  // namespace paroquant
