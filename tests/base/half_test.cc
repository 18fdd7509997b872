#include "paroquant/base/half.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace paroquant {
namespace {

// The value of binary16 bits by the definition of the format.
double DefinedHalf(uint16_t bits) {
  const int exponent = (bits >> 10) & 0x1F;
  const int fraction = bits & 0x3FF;
  const double sign = (bits & 0x8000) != 0 ? -1.0 : 1.0;
  if (exponent == 0) return sign * std::ldexp(fraction, -24);
  if (exponent == 31) return fraction == 0 ? sign * INFINITY : NAN;
  return sign * std::ldexp(1024 + fraction, exponent - 25);
}

TEST(HalfTest, EveryBitPatternConvertsByDefinitionAndBack) {
  for (uint32_t i = 0; i < 65536; ++i) {
    const auto bits = static_cast<uint16_t>(i);
    const float value = HalfToFloat(bits);
    const double expected = DefinedHalf(bits);
    if (std::isnan(expected)) {
      EXPECT_TRUE(std::isnan(value));
    } else {
      EXPECT_EQ(value, expected);
      EXPECT_EQ(FloatToHalf(value), bits);
    }
  }
}

TEST(HalfTest, RoundsToNearestTiesToEven) {
  EXPECT_EQ(FloatToHalf(1.0F + 0x1.0p-11F), 0x3C00);      // tie: down to even
  EXPECT_EQ(FloatToHalf(1.0F + 3 * 0x1.0p-11F), 0x3C02);  // tie: up to even
  EXPECT_EQ(FloatToHalf(1.0F + 0x1.1p-11F), 0x3C01);      // above the tie
  EXPECT_EQ(FloatToHalf(65520.0F), 0x7C00);               // overflow
  EXPECT_EQ(FloatToHalf(0x1.0p-25F), 0x0000);             // tie with zero
}

TEST(BFloat16Test, RoundsToNearestTiesToEven) {
  EXPECT_EQ(FloatToBFloat16(1.0F + 0x1.0p-8F), 0x3F80);
  EXPECT_EQ(FloatToBFloat16(1.0F + 3 * 0x1.0p-8F), 0x3F82);
  EXPECT_EQ(BFloat16ToFloat(0x3F82), 1.0F + 0x1.0p-6F);
}

}  // namespace
}  // namespace paroquant
