#include "paroquant/optim/adamw.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <vector>

#include "paroquant/base/parallel.h"
#include "paroquant/optim/schedule.h"
#include "tests/quant/fixtures.h"

namespace paroquant::optim {
namespace {

// Three steps of three parameters, worked out in double precision apart from this program.
TEST(AdamWTest, ThreeStepsAreAsWorkedOutByHand) {
  const std::vector<std::array<float, 3>> gradients = {
      {0.1F, -0.2F, 0.0F}, {0.3F, 0.1F, -1e-3F}, {-0.2F, 0.05F, 2e-3F}};
  const std::vector<double> rates = {0.05, 0.04, 0.02};
  const std::vector<std::array<float, 3>> expected = {{0.949500000F, -1.949000000F, 0.499750000F},
                                                      {0.912772514F, -1.937485622F, 0.528948496F},
                                                      {0.907458405F, -1.935847798F, 0.522680112F}};
  std::array<float, 3> parameters = {1.0F, -2.0F, 0.5F};
  AdamWState state;
  for (size_t step = 0; step < rates.size(); ++step) {
    AdamWStep({}, rates[step], gradients[step], state, parameters);
    for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(parameters[i], expected[step][i], 1e-6);
  }
  EXPECT_EQ(state.steps, 3);
}

TEST(AdamWTest, FindsTheMinimumOfAParabola) {
  std::vector<float> parameters = {3.0F, -4.0F};
  AdamWState state;
  constexpr int kSteps = 400;
  for (int step = 0; step < kSteps; ++step) {
    const std::vector<float> gradient = {2 * (parameters[0] - 1), 20 * (parameters[1] - 2)};
    AdamWStep({.weight_decay = 0.0}, CosineRate(0.1, 0.0, step, kSteps), gradient, state,
              parameters);
  }
  EXPECT_NEAR(parameters[0], 1, 1e-2);
  EXPECT_NEAR(parameters[1], 2, 1e-2);
}

TEST(AdamWTest, ThreadCountChangesNoBit) {
  const Matrix gradient = quant::testing::RandomMatrix(1, 100'000, 1);
  const auto step = [&](int threads) {
    SetThreadCount(threads);
    std::vector<float> parameters(100'000, 1.0F);
    AdamWState state;
    AdamWStep({}, 0.1, {gradient.data(), 100'000}, state, parameters);
    SetThreadCount(AvailableCores());
    return parameters;
  };
  EXPECT_EQ(step(1), step(5));
}

TEST(ScheduleTest, IsHalfACosine) {
  EXPECT_DOUBLE_EQ(CosineRate(1.0, 0.05, 0, 10), 1.0);
  EXPECT_DOUBLE_EQ(CosineRate(1.0, 0.05, 10, 10), 0.05);
  EXPECT_NEAR(CosineRate(1.0, 0.05, 5, 10), 0.525, 1e-12);
  EXPECT_NEAR(CosineRate(1.0, 0.0, 1, 3), 0.75, 1e-12);
}

}  // namespace
}  // namespace paroquant::optim
