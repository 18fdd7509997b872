#include <gtest/gtest.h>

#include <numeric>

#include "paroquant/base/error.h"
#include "paroquant/eval/perplexity.h"
#include "tests/testing/error_of.h"

namespace paroquant::eval {
namespace {

std::vector<int32_t> Tokens(int32_t count) {
  std::vector<int32_t> tokens(static_cast<size_t>(count));
  std::iota(tokens.begin(), tokens.end(), 100);
  return tokens;
}

TEST(CutWindowsTest, LieSideBySideAndDropTheRest) {
  const auto windows = CutWindows(Tokens(11), {.window = 4});
  ASSERT_EQ(windows.size(), 2U);
  EXPECT_EQ(windows[1].tokens, (std::vector<int32_t>{104, 105, 106, 107}));
  EXPECT_EQ(windows[1].first_scored, 1);
}

TEST(CutWindowsTest, OverlappingWindowsScoreEachTokenOnce) {
  const auto windows = CutWindows(Tokens(10), {.window = 6, .stride = 2});
  ASSERT_EQ(windows.size(), 3U);
  EXPECT_EQ(windows[0].first_scored, 1);
  EXPECT_EQ(windows[1].first_scored, 4);
  EXPECT_EQ(windows[2].tokens.front(), 104);
}

TEST(CutWindowsTest, SecondHalfIsScoredAfterBos) {
  const auto windows = CutWindows(Tokens(8), {.window = 8, .bos = 1, .second_half_only = true});
  ASSERT_EQ(windows.size(), 1U);
  EXPECT_EQ(windows[0].tokens[0], 1);
  EXPECT_EQ(windows[0].tokens[1], 101);
  EXPECT_EQ(windows[0].first_scored, 5);
}

TEST(CutWindowsTest, ShortTextIsOneWindowAndNoTextIsRefused) {
  EXPECT_EQ(CutWindows(Tokens(3), {.window = 8}).front().tokens.size(), 3U);
  EXPECT_THROW(CutWindows(Tokens(1), {.window = 8}), Error);
}

// Whose fault it is that nothing would be scored: what was asked for, the text, or the model.
TEST(CutWindowsTest, ErrorsNameTheSourceOrTheOption) {
  struct ShortCase {
    int32_t tokens;
    WindowOptions options;
    ErrorKind kind;
    std::string where;
  };
  for (const ShortCase& c : std::vector<ShortCase>{
           {1, {.source = "a.txt"}, ErrorKind::kInput, "a.txt"},
           {2, {.source = "a.txt", .second_half_only = true}, ErrorKind::kInput, "a.txt"},
           {9, {.source = "a.txt", .max_window = 1}, ErrorKind::kInput, "a.txt"},
           {9, {.source = "a.txt", .window = 1}, ErrorKind::kUsage, "--window"},
           {9,
            {.source = "a.txt", .window = 2, .second_half_only = true},
            ErrorKind::kUsage,
            "--window"}}) {
    const Error error = testing::ErrorOf([&] { CutWindows(Tokens(c.tokens), c.options); });
    EXPECT_EQ(error.kind(), c.kind) << error.what();
    EXPECT_EQ(error.parts().where, c.where);
  }
  EXPECT_EQ(CutWindows(Tokens(9), {.window = 8, .max_window = 4}).size(), 2U);
}

TEST(CutWindowsTest, RefusesWindowsThatScoreNothingAndTakesAnyStride) {
  const std::vector<int32_t> tokens(10, 1);
  EXPECT_THROW(CutWindows(tokens, {.window = 1}), Error);
  EXPECT_THROW(CutWindows(tokens, {.window = 2, .second_half_only = true}), Error);
  EXPECT_EQ(CutWindows(tokens, {.window = 4, .stride = std::numeric_limits<int64_t>::max()}).size(),
            1U);
}

}  // namespace
}  // namespace paroquant::eval
