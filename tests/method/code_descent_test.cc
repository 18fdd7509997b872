#include "method/code_descent.h"

#include <gtest/gtest.h>

#include "method/basis.h"
#include "paroquant/base/half.h"
#include "paroquant/method/rtn.h"
#include "tests/method/fixtures.h"

namespace paroquant::method {
namespace {

constexpr int64_t kRows = 136;  // more than a block of them
constexpr int64_t kDescentChannels = 64;
constexpr int kDescentBits = 3;

class CodeDescentTest : public ::testing::Test {
 protected:
  CodeDescentTest()
      : weight_(testing::WeightWithOutliers(kRows, kDescentChannels, 1)),
        start_(QuantizeRtn({.name = "layer", .target = weight_, .statistics = nullptr},
                           kDescentBits, 32)),
        channels_(RotatedChannels(weight_, {start_.channel_scales, start_.rotation})) {}

  // tr(B E H E^T), all of it in double.
  double Loss(const quant::QuantizedLinear& linear, const MatrixD* output_moment) const {
    MatrixD error = channels_.transpose().cast<double>();
    for (int64_t row = 0; row < kRows; ++row) {
      for (int64_t k = 0; k < kDescentChannels; ++k) {
        const auto at = static_cast<size_t>(row * kDescentChannels + k);
        error(row, k) -= static_cast<double>(HalfToFloat(linear.scales[at / 32])) *
                         (linear.codes[at] - linear.zeros[at / 32]);
      }
    }
    const MatrixD costs = error * moment_ * error.transpose();
    return output_moment == nullptr ? costs.trace() : costs.cwiseProduct(*output_moment).sum();
  }

  quant::QuantizedLinear Descend(const MatrixD* output_moment, int passes) const {
    quant::QuantizedLinear linear = start_;
    DescendCodes(channels_, moment_, output_moment, passes, linear);
    return linear;
  }

  // No code moved by one step alone lowers the loss by more than rounding.
  void ExpectLocalOptimum(quant::QuantizedLinear linear, const MatrixD* output_moment) const {
    const double loss = Loss(linear, output_moment);
    for (size_t at = 0; at < linear.codes.size(); at += 37) {
      const uint8_t code = linear.codes[at];
      for (const int next : {code - 1, code + 1}) {
        if (next < 0 || next >= 1 << kDescentBits) continue;
        linear.codes[at] = static_cast<uint8_t>(next);
        EXPECT_GT(Loss(linear, output_moment), (1 - 1e-5) * loss) << at;
      }
      linear.codes[at] = code;
    }
  }

  Matrix weight_;
  quant::QuantizedLinear start_;
  Matrix channels_;
  MatrixD moment_ = testing::CorrelatedMoment(kDescentChannels, 2);
  MatrixD output_moment_ = testing::CorrelatedMoment(kRows, 3);
};

TEST_F(CodeDescentTest, EachPassLowersTheLossDownToAnOptimum) {
  for (const MatrixD* output_moment :
       {static_cast<const MatrixD*>(nullptr), static_cast<const MatrixD*>(&output_moment_)}) {
    double before = Loss(start_, output_moment);
    for (int passes = 1; passes <= 3; ++passes) {
      const double after = Loss(Descend(output_moment, passes), output_moment);
      EXPECT_LE(after, before);
      before = after;
    }
    EXPECT_LT(before, 0.8 * Loss(start_, output_moment));
    ExpectLocalOptimum(Descend(output_moment, 50), output_moment);
  }
}

TEST_F(CodeDescentTest, NoPassChangesNothing) {
  EXPECT_EQ(Descend(&output_moment_, 0).codes, start_.codes);
}

}  // namespace
}  // namespace paroquant::method
