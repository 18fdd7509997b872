#include "paroquant/base/time_left.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "paroquant/base/rng.h"

namespace paroquant {
namespace {

struct TimedStep {
  Work work;
  double seconds = 0.0;
};

std::vector<Work> WorkOf(const std::vector<TimedStep>& steps) {
  std::vector<Work> work;
  for (const TimedStep& step : steps) work.push_back(step.work);
  return work;
}

double SecondsOf(const std::vector<TimedStep>& steps) {
  return std::accumulate(steps.begin(), steps.end(), 0.0,
                         [](double sum, const TimedStep& step) { return sum + step.seconds; });
}

// The largest |estimate - truth| / truth from a part of the run's time on, until its last
// twentieth.
double WorstError(const std::vector<TimedStep>& steps, double from) {
  TimeLeft estimate(WorkOf(steps));
  const double whole = SecondsOf(steps);
  double elapsed = 0.0;
  double worst = 0.0;
  for (const TimedStep& step : steps) {
    estimate.Done(step.work, step.seconds);
    elapsed += step.seconds;
    if (elapsed < from * whole || elapsed > 0.95 * whole) continue;
    const double left = whole - elapsed;
    worst = std::max(worst, std::abs(*estimate.Seconds() - left) / left);
  }
  return worst;
}

// Blocks whose steps differ by a factor of a hundred, of which the plan is wrong by up to three;
// every fourth block is five times as large. Each step takes up to a fifth more or less than it
// should.
std::vector<TimedStep> UnevenRun(int blocks, uint64_t seed) {
  struct Kind {
    const char* name;
    double amount;
    double seconds_each;
  };
  const std::vector<Kind> kinds = {
      {"moments", 10, 0.5}, {"q", 3, 1.0}, {"down", 100, 1.5}, {"epoch", 30, 0.7}, {"end", 1, 1.4}};
  Rng rng(seed);
  std::vector<TimedStep> steps;
  for (int block = 0; block < blocks; ++block) {
    for (const Kind& kind : kinds) {
      const double amount = (block % 4 == 1 ? 5 : 1) * kind.amount;
      const double noise = 0.8 + 0.4 * rng.Uniform();
      steps.push_back({{kind.name, amount}, noise * amount * kind.seconds_each});
    }
  }
  return steps;
}

TEST(TimeLeftTest, SaysNothingBeforeAnythingIsMeasured) {
  TimeLeft estimate(std::vector<Work>{{"a", 3}, {"b", 5}});
  EXPECT_FALSE(estimate.Seconds().has_value());
  estimate.Drop({"a", 1});
  EXPECT_FALSE(estimate.Seconds().has_value());
  estimate.Done({"a", 1}, 2.0);
  EXPECT_DOUBLE_EQ(*estimate.Seconds(), 2.0 * (1 + 5));  // of b the plan alone tells
  estimate.Done({"b", 1}, 10.0);
  EXPECT_DOUBLE_EQ(*estimate.Seconds(), 2.0 * 1 + 10.0 * 4);
}

TEST(TimeLeftTest, UnevenStepsAreWithinAQuarterFromATenthOn) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    EXPECT_LT(WorstError(UnevenRun(24, seed), 0.1), 0.25) << seed;
  }
}

// Near the end of three blocks one step is most of what is left: it may take a fifth less than it
// should, and those it is told from a fifth more.
TEST(TimeLeftTest, TheLastStepsOfFewBlocksAreAsSureAsOneStep) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    EXPECT_LT(WorstError(UnevenRun(3, seed), 0.75), 0.5) << seed;
  }
}

// Resumed in the middle: what was finished before takes no time, or little.
TEST(TimeLeftTest, FinishedBlocksDistortNothing) {
  const std::vector<TimedStep> steps = UnevenRun(24, 1);
  const std::vector<TimedStep> rest(steps.begin() + std::ssize(steps) / 2, steps.end());
  TimeLeft resumed(WorkOf(steps));
  for (size_t i = 0; i < steps.size() / 2; ++i) resumed.Drop(steps[i].work);
  TimeLeft alone(WorkOf(rest));
  const Work pass{"pass", 12};
  resumed.Done(pass, 3.0);
  alone.Done(pass, 3.0);
  for (const TimedStep& step : rest) {
    resumed.Done(step.work, step.seconds);
    alone.Done(step.work, step.seconds);
    ASSERT_NEAR(*resumed.Seconds(), *alone.Seconds(), 0.1 * *alone.Seconds());
  }
}

TEST(TimeLeftTest, FollowsAMachineThatGetsSlower) {
  std::vector<TimedStep> steps = UnevenRun(40, 2);
  for (size_t i = steps.size() / 2; i < steps.size(); ++i) steps[i].seconds *= 3;
  EXPECT_LT(WorstError(steps, 0.7), 0.25);
}

TEST(TimeLeftTest, WorkThatWasNotPlannedCountsWhereItIsDone) {
  TimeLeft estimate(std::vector<Work>{{"a", 2}});
  estimate.Done({"surprise", 4}, 4.0);
  EXPECT_DOUBLE_EQ(*estimate.Seconds(), 2.0);
  estimate.Done({"a", 7}, 7.0);
  EXPECT_DOUBLE_EQ(*estimate.Seconds(), 0.0);
}

}  // namespace
}  // namespace paroquant
