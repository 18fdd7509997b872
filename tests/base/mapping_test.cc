#include "paroquant/base/mapping.h"

#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <memory>
#include <string>

#include "paroquant/base/file.h"
#include "tests/testing/paths.h"

namespace paroquant {
namespace {

class MappingTest : public ::testing::Test {
 protected:
  MappingTest() { WriteFile(path_, std::string(10000, 'x')); }

  std::string FileAt(const void* address) { return std::string(MappedFileAt(address, storage_)); }

  testing::TemporaryFolder folder_;
  const std::filesystem::path path_ = folder_.path() / "a model.safetensors";
  std::array<char, 4096> storage_{};
};

TEST_F(MappingTest, TheFileOfItsFirstAndLastByte) {
  const MappedFile file(path_);
  EXPECT_EQ(FileAt(file.bytes().data()), path_);
  EXPECT_EQ(FileAt(file.bytes().data() + 9999), path_);
}

TEST_F(MappingTest, NoFileBelongsToTheStackTheHeapOrNothing) {
  const int on_stack = 0;
  const auto on_heap = std::make_unique<int>(0);
  EXPECT_EQ(FileAt(&on_stack), "");
  EXPECT_EQ(FileAt(on_heap.get()), "");
  EXPECT_EQ(FileAt(nullptr), "");
}

TEST_F(MappingTest, NoFileWhereItIsNoLongerMapped) {
  const void* address = nullptr;
  {
    const MappedFile file(path_);
    address = file.bytes().data();
  }
  EXPECT_NE(FileAt(address), path_);
}

TEST_F(MappingTest, WhatDoesNotFitIsLeftOut) {
  const MappedFile file(path_);
  std::array<char, 3> little{};
  EXPECT_EQ(MappedFileAt(file.bytes().data(), little), path_.string().substr(0, 3));
}

}  // namespace
}  // namespace paroquant
