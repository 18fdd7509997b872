#include "paroquant/base/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace paroquant {
namespace {

class ParallelForTest : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override { SetThreadCount(GetParam()); }
  void TearDown() override { SetThreadCount(AvailableCores()); }
};

TEST_P(ParallelForTest, CallsEveryIndexOnce) {
  for (const int count : {0, 1, 2, 7, 1000}) {
    std::vector<std::atomic<int>> calls(static_cast<size_t>(count));
    ParallelFor(count, [&](int64_t i) { ++calls[static_cast<size_t>(i)]; });
    for (const auto& n : calls) EXPECT_EQ(n, 1);
  }
}

TEST_P(ParallelForTest, NestedLoopsRunOnTheCallingThread) {
  std::atomic<int> total = 0;
  ParallelFor(8, [&](int64_t) { ParallelFor(8, [&](int64_t) { ++total; }); });
  EXPECT_EQ(total, 64);
}

TEST_P(ParallelForTest, RethrowsAndStaysUsable) {
  const auto fail = [](int64_t i) {
    if (i == 0) throw std::runtime_error("item 0");
  };
  EXPECT_THROW(ParallelFor(100, fail), std::runtime_error);
  std::atomic<int> calls = 0;
  ParallelFor(100, [&](int64_t) { ++calls; });
  EXPECT_EQ(calls, 100);
}

// The caller goes to sleep, too, or is about to.
TEST_P(ParallelForTest, CallersWaitForTheLastItem) {
  for (int round = 0; round < 300; ++round) {
    std::atomic<int> done = 0;
    ParallelFor(2, [&](int64_t i) {
      std::this_thread::sleep_for(std::chrono::microseconds(i == 0 ? round % 7 : round));
      ++done;
    });
    ASSERT_EQ(done, 2);
    std::this_thread::sleep_for(std::chrono::microseconds(round % 80));
  }
}

// Threads that are still waiting for the next loop, and threads that went to sleep.
TEST_P(ParallelForTest, LoopsFollowEachOtherAtAnyPace) {
  for (int round = 0; round < 3000; ++round) {
    std::atomic<int64_t> sum = 0;
    ParallelFor(4, [&](int64_t i) { sum += i + round; });
    ASSERT_EQ(sum, 6 + 4 * round);
    if (round % 100 == 0) std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
}

INSTANTIATE_TEST_SUITE_P(Threads, ParallelForTest, ::testing::Values(1, 2, 5));

}  // namespace
}  // namespace paroquant
