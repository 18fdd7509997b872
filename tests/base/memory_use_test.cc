#include "paroquant/base/memory_use.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <memory>
#include <vector>

namespace paroquant {
namespace {

TEST(MemoryUseTest, FreedPiecesGoBackToTheSystem) {
  constexpr size_t kPiece = 100'000;  // less than what has a mapping of its own
  constexpr size_t kPieces = 2000;
  std::vector<std::unique_ptr<char[]>> pieces;
  for (size_t i = 0; i < kPieces; ++i) pieces.push_back(std::make_unique<char[]>(kPiece));
  const std::unique_ptr<char[]> above = std::make_unique<char[]>(kPiece);
  if (::mallinfo2().uordblks < kPieces * kPiece) GTEST_SKIP() << "a sanitizer allocates here";
  const int64_t before = ResidentMemory();
  pieces.clear();
  ReleaseFreedMemory();
  EXPECT_LT(ResidentMemory(), before - static_cast<int64_t>(kPieces * kPiece / 2));
}

}  // namespace
}  // namespace paroquant
