#include "paroquant/base/quantity_text.h"

#include <gtest/gtest.h>

#include <limits>

namespace paroquant {
namespace {

TEST(QuantityTextTest, SizesHaveThreeDigitsInPowersOfAThousand) {
  EXPECT_EQ(ByteCount(0), "0 bytes");
  EXPECT_EQ(ByteCount(999), "999 bytes");
  EXPECT_EQ(ByteCount(1000), "1.00 kB");
  EXPECT_EQ(ByteCount(9'994), "9.99 kB");
  EXPECT_EQ(ByteCount(9'995), "10.0 kB");
  EXPECT_EQ(ByteCount(1 << 20), "1.05 MB");
  EXPECT_EQ(ByteCount(99'949'999), "99.9 MB");
  EXPECT_EQ(ByteCount(310'000'000), "310 MB");
  EXPECT_EQ(ByteCount(999'500'000), "1.00 GB");
  EXPECT_EQ(ByteCount(2'671'000'000), "2.67 GB");
  EXPECT_EQ(ByteCount(16'000'000'000'000), "16.0 TB");
  EXPECT_EQ(ByteCount(std::numeric_limits<int64_t>::max()), "9223372 TB");
}

TEST(QuantityTextTest, TimesHaveAboutTwoDigits) {
  EXPECT_EQ(Duration(0), "0.00 s");
  EXPECT_EQ(Duration(0.042), "0.04 s");
  EXPECT_EQ(Duration(0.999), "1.0 s");
  EXPECT_EQ(Duration(9.3), "9.3 s");
  EXPECT_EQ(Duration(9.96), "10 s");
  EXPECT_EQ(Duration(59.4), "59 s");
  EXPECT_EQ(Duration(59.6), "1m00s");
  EXPECT_EQ(Duration(185), "3m05s");
  EXPECT_EQ(Duration(3'599.6), "1h00m");
  EXPECT_EQ(Duration(11'100), "3h05m");
}

TEST(QuantityTextTest, NounsAgreeWithTheirNumber) {
  EXPECT_EQ(Counted(0, "window"), "0 windows");
  EXPECT_EQ(Counted(1, "window"), "1 window");
  EXPECT_EQ(Counted(2, "window"), "2 windows");
}

}  // namespace
}  // namespace paroquant
