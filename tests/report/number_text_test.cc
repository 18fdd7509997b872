#include "report/number_text.h"

#include <gtest/gtest.h>

#include <cmath>

namespace paroquant::report {
namespace {

TEST(NumberTextTest, SignificantDigits) {
  EXPECT_EQ(Significant(0), "0");
  EXPECT_EQ(Significant(0.012345), "0.0123");
  EXPECT_EQ(Significant(-2.5), "-2.50");
  EXPECT_EQ(Significant(1234.5), "1234");
  EXPECT_EQ(Significant(0.0000123456), "1.23e-5");
  EXPECT_EQ(Significant(0.5, 2), "0.50");
  EXPECT_EQ(Significant(NAN), kNoNumber);
}

TEST(NumberTextTest, SharesArePercents) {
  EXPECT_EQ(Percent(0.005123), "0.512\u00a0%");
  EXPECT_EQ(Percent(NAN), kNoNumber);
}

TEST(NumberTextTest, Ticks) {
  EXPECT_EQ(TickLabel(0), "0");
  EXPECT_EQ(TickLabel(0.05), "0.05");
  EXPECT_EQ(TickLabel(10'000), "10k");
  EXPECT_EQ(TickLabel(1'500), "1.5k");
  EXPECT_EQ(TickLabel(5e6), "5M");
  EXPECT_EQ(TickLabel(1e-5), "1e-5");
}

}  // namespace
}  // namespace paroquant::report
