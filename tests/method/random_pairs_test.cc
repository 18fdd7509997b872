#include "method/random_pairs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <utility>

namespace paroquant::method {
namespace {

TEST(RandomPairsTest, EveryRoundIsAMatchingAndPairsAreNotReused) {
  const quant::Rotation rotation = RandomPairs(256, 128, 8, 1);
  EXPECT_EQ(quant::RotationProblem(rotation), "");
  EXPECT_TRUE(std::all_of(rotation.theta.begin(), rotation.theta.end(),
                          [](uint16_t angle) { return angle == 0; }));
  std::set<std::pair<int, int>> seen;
  for (int round = 0; round < 8; ++round) {
    for (int pair = 0; pair < 64; ++pair) {
      const auto index = static_cast<size_t>(round * 256 + 128 + 2 * pair);
      const int a = rotation.pairs[index];
      const int b = rotation.pairs[index + 1];
      seen.insert({std::min(a, b), std::max(a, b)});
    }
  }
  // All but the few that a round had to make up.
  EXPECT_GE(seen.size(), 8 * 64 - 24);
}

TEST(RandomPairsTest, GroupsAndSeedsDiffer) {
  const quant::Rotation rotation = RandomPairs(256, 128, 8, 1);
  EXPECT_FALSE(std::equal(rotation.pairs.begin(), rotation.pairs.begin() + 128,
                          rotation.pairs.begin() + 128));
  EXPECT_EQ(rotation.pairs, RandomPairs(256, 128, 8, 1).pairs);
  EXPECT_NE(rotation.pairs, RandomPairs(256, 128, 8, 2).pairs);
}

TEST(RandomPairsTest, MoreRoundsThanThereAreMatchings) {
  EXPECT_EQ(quant::RotationProblem(RandomPairs(4, 4, 16, 1)), "");
}

}  // namespace
}  // namespace paroquant::method
