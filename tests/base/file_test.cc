#include "paroquant/base/file.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "tests/testing/error_of.h"
#include "tests/testing/paths.h"

namespace paroquant {
namespace {

using testing::ErrorOf;

TEST(FileTest, WrittenTextReadsBackBothWays) {
  const testing::TemporaryFolder folder;
  const auto path = folder.path() / "a file";
  const std::string text("one\0two", 7);
  WriteFile(path, text);
  EXPECT_EQ(ReadFile(path), text);
  const MappedFile mapped(path);
  ASSERT_EQ(mapped.bytes().size(), text.size());
  EXPECT_EQ(std::memcmp(mapped.bytes().data(), text.data(), text.size()), 0);
}

TEST(FileTest, EmptyFileMapsToNoBytes) {
  const testing::TemporaryFolder folder;
  WriteFile(folder.path() / "empty", "");
  EXPECT_TRUE(MappedFile(folder.path() / "empty").bytes().empty());
}

TEST(FileTest, WritesAtAnyOffset) {
  const testing::TemporaryFolder folder;
  OutputFile file(folder.path() / "f");
  file.Reserve(6);
  file.WriteAt(3, std::as_bytes(std::span("def", 3)));
  file.WriteAt(0, std::as_bytes(std::span("abc", 3)));
  file.Close();
  EXPECT_EQ(ReadFile(folder.path() / "f"), "abcdef");
}

TEST(FileTest, FaultsHaveTheirKind) {
  const testing::TemporaryFolder folder;
  EXPECT_EQ(ErrorOf([&] { MappedFile(folder.path() / "absent"); }).kind(), ErrorKind::kInput);
  EXPECT_EQ(ErrorOf([&] { MappedFile mapped(folder.path()); }).kind(), ErrorKind::kInput);
  EXPECT_EQ(ErrorOf([&] { OutputFile(folder.path() / "absent" / "f"); }).kind(),
            ErrorKind::kSystem);
  WriteFile(folder.path() / "long", "12345");
  EXPECT_EQ(ErrorOf([&] { ReadFile(folder.path() / "long", 4); }).kind(), ErrorKind::kInput);
}

}  // namespace
}  // namespace paroquant
