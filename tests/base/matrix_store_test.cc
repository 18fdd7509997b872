#include "paroquant/base/matrix_store.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <utility>

#include "paroquant/base/error.h"
#include "tests/testing/error_of.h"
#include "tests/testing/paths.h"

namespace paroquant {
namespace {

using testing::ErrorOf;
using testing::TemporaryFolder;

constexpr uint64_t kBytes = 10 * 20 * sizeof(float);

TEST(MatrixStoreTest, MatricesHoldWhatIsWrittenWhereverTheyLie) {
  const TemporaryFolder folder;
  MatrixStore store(folder.path(), kBytes);
  StoredMatrix in_memory = store.Make(10, 20);
  EXPECT_EQ(store.peak_on_disk(), 0U);
  StoredMatrix on_disk = store.Make(10, 20);
  EXPECT_EQ(store.peak_on_disk(), kBytes);
  for (StoredMatrix* matrix : {&in_memory, &on_disk}) {
    EXPECT_TRUE(matrix->view().isZero());
    matrix->view().row(3).setConstant(2);
    EXPECT_EQ(matrix->view().sum(), 40);
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(MatrixStoreTest, WhatIsFreedIsThereForOthers) {
  const TemporaryFolder folder;
  MatrixStore store(folder.path(), kBytes);
  for (int i = 0; i < 3; ++i) {
    const StoredMatrix matrix = store.Make(10, 20);
    EXPECT_EQ(std::as_const(matrix).view().rows(), 10);
  }
  EXPECT_EQ(store.peak_on_disk(), 0U);
}

TEST(MatrixStoreTest, MovingTakesTheContentAlong) {
  const TemporaryFolder folder;
  MatrixStore store(folder.path(), kBytes);
  StoredMatrix first = store.Make(10, 20);
  first.view()(9, 19) = 7;
  StoredMatrix second = store.Make(1, 1);
  second = std::move(first);
  EXPECT_EQ(second.view()(9, 19), 7);
  EXPECT_EQ(first.rows(), 0);  // NOLINT(bugprone-use-after-move): it says so
  EXPECT_EQ(store.Make(0, 5).cols(), 5);
}

TEST(MatrixStoreTest, AFolderThatTakesNoFilesIsASystemError) {
  const TemporaryFolder folder;
  MatrixStore store(folder.path() / "absent", 0);
  const Error error = ErrorOf([&] { store.Make(10, 20); });
  EXPECT_EQ(error.kind(), ErrorKind::kSystem);
  EXPECT_NE(std::string(error.what()).find("absent"), std::string::npos);
}

}  // namespace
}  // namespace paroquant
