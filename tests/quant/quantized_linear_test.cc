#include "paroquant/quant/quantized_linear.h"

#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "tests/quant/fixtures.h"

namespace paroquant::quant {
namespace {

TEST(QuantizedLinearTest, ValidLayersHaveNoProblem) {
  QuantizedLinear linear = testing::RandomQuantizedLinear(5, 128, 4, 64, 1);
  EXPECT_EQ(Problem(linear), "");
  linear.rotation = {};
  EXPECT_EQ(Problem(linear), "");
}

TEST(QuantizedLinearTest, EachBrokenRuleIsAProblem) {
  const std::vector<std::function<void(QuantizedLinear&)>> damages = {
      [](auto& l) { l.out_features = 0; },
      [](auto& l) { l.in_features = int64_t{1} << 60; },
      [](auto& l) { l.bits = 7; },
      [](auto& l) { l.group_size = 48; },
      [](auto& l) { l.group_size = 0; },
      [](auto& l) { l.codes.pop_back(); },
      [](auto& l) { l.codes[9] = 16; },
      [](auto& l) { l.zeros[1] = 16; },
      [](auto& l) { l.scales[1] = 0; },
      [](auto& l) { l.scales[1] = 0x8000; },
      [](auto& l) { l.channel_scales[1] = 0x7C00; },
      [](auto& l) { l.rotation.pairs[2] = l.rotation.pairs[3]; },
      [](auto& l) { l.rotation.pairs[2] = 64; },
      [](auto& l) { l.rotation.theta[2] = 0x7C00; },
      [](auto& l) { l.rotation.theta.pop_back(); },
      [](auto& l) { l.rotation.rounds = 7; },
      [](auto& l) { l.rotation.channels = 64; },
      [](auto& l) { l.rotation.group_size = 32; },
      [](auto& l) {
        l.rotation = {};
        l.rotation.group_size = -1;
        l.rotation.pairs.push_back(0);
      }};
  for (size_t i = 0; i < damages.size(); ++i) {
    QuantizedLinear linear = testing::RandomQuantizedLinear(5, 128, 4, 64, 1);
    damages[i](linear);
    EXPECT_NE(Problem(linear), "") << "damage " << i;
  }
}

}  // namespace
}  // namespace paroquant::quant
