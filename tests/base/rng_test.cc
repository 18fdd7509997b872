#include "paroquant/base/rng.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <map>
#include <vector>

namespace paroquant {
namespace {

constexpr int kDraws = 100'000;

// A count of draws of probability p lies within five standard deviations of what is expected.
void ExpectCount(int64_t count, int64_t draws, double p) {
  const auto n = static_cast<double>(draws);
  EXPECT_NEAR(static_cast<double>(count), n * p, 5 * std::sqrt(n * p * (1 - p)));
}

// The C++ standard says what number 10000 of mt19937_64 with its default seed is.
TEST(RngTest, EngineIsTheOneOfTheStandard) {
  Rng rng(5489);
  for (int i = 1; i < 10000; ++i) rng.Uniform();
  EXPECT_EQ(rng.Uniform(), static_cast<double>(9981545732273789042U >> 11) / 9007199254740992.0);
}

TEST(RngTest, SeedDecidesEverything) {
  const auto draw = [](uint64_t seed) {
    Rng rng(seed);
    std::vector<double> values;
    std::vector<int> items = {1, 2, 3, 4, 5, 6, 7, 8};
    for (int i = 0; i < 10; ++i) {
      values.insert(values.end(),
                    {rng.Uniform(), rng.Normal(), static_cast<double>(rng.Below(99))});
      rng.Shuffle(items);
      values.insert(values.end(), items.begin(), items.end());
    }
    return values;
  };
  EXPECT_EQ(draw(7), draw(7));
  EXPECT_NE(draw(7), draw(8));
}

TEST(RngTest, UniformFillsTheUnitIntervalEvenly) {
  Rng rng(1);
  std::array<int64_t, 10> tenths{};
  for (int i = 0; i < kDraws; ++i) {
    const double value = rng.Uniform();
    ASSERT_GE(value, 0.0);
    ASSERT_LT(value, 1.0);
    ++tenths[static_cast<size_t>(10 * value)];
  }
  for (const int64_t count : tenths) ExpectCount(count, kDraws, 0.1);
}

TEST(RngTest, BelowIsEvenAndNeverReachesItsBound) {
  Rng rng(2);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(rng.Below(1), 0U);
  std::array<int64_t, 7> counts{};
  for (int i = 0; i < kDraws; ++i) {
    const uint64_t value = rng.Below(counts.size());
    ASSERT_LT(value, counts.size());
    ++counts[value];
  }
  for (const int64_t count : counts) ExpectCount(count, kDraws, 1.0 / 7);
  // Where 2^64 is no multiple of the bound a remainder alone would make the lower third likelier.
  constexpr uint64_t kBound = 3 * (uint64_t{1} << 62);
  int64_t lower = 0;
  for (int i = 0; i < kDraws; ++i) {
    const uint64_t value = rng.Below(kBound);
    ASSERT_LT(value, kBound);
    if (value < kBound / 3) ++lower;
  }
  ExpectCount(lower, kDraws, 1.0 / 3);
}

TEST(RngTest, NormalHasTheSharesOfItsBell) {
  Rng rng(3);
  double sum = 0;
  double squares = 0;
  std::array<int64_t, 3> within{};
  int64_t positive = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double value = rng.Normal();
    ASSERT_TRUE(std::isfinite(value));
    sum += value;
    squares += value * value;
    if (value > 0) ++positive;
    for (size_t k = 0; k < within.size(); ++k) {
      if (std::abs(value) < static_cast<double>(k + 1)) ++within[k];
    }
  }
  const double deviation = 5 / std::sqrt(kDraws);
  EXPECT_NEAR(sum / kDraws, 0.0, deviation);
  EXPECT_NEAR(squares / kDraws, 1.0, deviation * std::sqrt(2.0));
  ExpectCount(positive, kDraws, 0.5);
  ExpectCount(within[0], kDraws, 0.6826895);
  ExpectCount(within[1], kDraws, 0.9544997);
  ExpectCount(within[2], kDraws, 0.9973002);
}

TEST(RngTest, ShuffleMakesEveryOrderAlike) {
  Rng rng(4);
  std::map<std::vector<int>, int64_t> counts;
  for (int i = 0; i < kDraws; ++i) {
    std::vector<int> items = {1, 2, 3};
    rng.Shuffle(items);
    ++counts[items];
  }
  EXPECT_EQ(counts.size(), 6U);
  for (const auto& [order, count] : counts) ExpectCount(count, kDraws, 1.0 / 6);
  std::vector<int> empty;
  rng.Shuffle(empty);
}

}  // namespace
}  // namespace paroquant
