#include "paroquant/base/file.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "paroquant/base/error.h"
#include "tests/testing/paths.h"

namespace paroquant {
namespace {

ErrorKind KindOf(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.kind();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorKind::kInternal;
}

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
  EXPECT_EQ(KindOf([&] { MappedFile(folder.path() / "absent"); }), ErrorKind::kSystem);
  EXPECT_EQ(KindOf([&] { MappedFile mapped(folder.path()); }), ErrorKind::kInput);
  EXPECT_EQ(KindOf([&] { OutputFile(folder.path() / "absent" / "f"); }), ErrorKind::kSystem);
  WriteFile(folder.path() / "long", "12345");
  EXPECT_EQ(KindOf([&] { ReadFile(folder.path() / "long", 4); }), ErrorKind::kInput);
}

}  // namespace
}  // namespace paroquant
