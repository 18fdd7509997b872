#include "paroquant/io/folder_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <optional>

#include "tests/io/test_files.h"
#include "tests/testing/error_of.h"
#include "tests/testing/paths.h"

namespace paroquant::io {
namespace {

using testing::ErrorOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(FolderLockTest, OneAtATimeAndWithoutAFile) {
  const testing::TemporaryFolder folder;
  EXPECT_FALSE(FolderLock::IsTaken(folder.path()));
  {
    const FolderLock lock(folder.path());
    EXPECT_TRUE(FolderLock::IsTaken(folder.path()));
    const Error error = ErrorOf([&] { const FolderLock second(folder.path()); });
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("a run at work on it"));
    EXPECT_THAT(NamesIn(folder.path()), IsEmpty());
  }
  EXPECT_FALSE(FolderLock::IsTaken(folder.path()));
  const FolderLock again(folder.path());
}

TEST(FolderLockTest, MovesWithItsOwner) {
  const testing::TemporaryFolder folder;
  std::optional<FolderLock> first(folder.path());
  const FolderLock second = *std::move(first);
  first.reset();
  EXPECT_TRUE(FolderLock::IsTaken(folder.path()));
}

TEST(FolderLockTest, EndsWithAProcessThatIsKilled) {
  const testing::TemporaryFolder folder;
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const FolderLock lock(folder.path());
    (void)!::write(ready[1], "x", 1);
    while (true) ::pause();
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_TRUE(FolderLock::IsTaken(folder.path()));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_FALSE(FolderLock::IsTaken(folder.path()));
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST(FolderLockTest, FolderThatIsNotThereIsASystemErrorAndNotTaken) {
  const testing::TemporaryFolder folder;
  EXPECT_EQ(ErrorOf([&] { const FolderLock lock(folder.path() / "none"); }).kind(),
            ErrorKind::kSystem);
  EXPECT_FALSE(FolderLock::IsTaken(folder.path() / "none"));
}

}  // namespace
}  // namespace paroquant::io
