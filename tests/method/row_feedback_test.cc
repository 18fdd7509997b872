#include "method/row_feedback.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "paroquant/base/parallel.h"
#include "paroquant/method/quantize_linear.h"
#include "paroquant/quant/dequantize.h"
#include "tests/method/fixtures.h"
#include "tests/quant/fixtures.h"

namespace paroquant::method {
namespace {

constexpr int64_t kFeedbackChannels = 128;

class RowFeedbackTest : public ::testing::Test {
 protected:
  quant::QuantizedLinear Quantize(const Matrix& weight, const MatrixD* output_moment) const {
    return QuantizeLinear({.name = "layer",
                           .target = weight,
                           .statistics = &statistics_,
                           .output_moment = output_moment},
                          {}, {});
  }
  // tr(B E H E^T), relative to tr(B W H W^T).
  double Loss(const Matrix& weight, const quant::QuantizedLinear& linear,
              const MatrixD& output_moment) const {
    const MatrixD x = inputs_.cast<double>();
    const MatrixD error = x * (quant::EffectiveWeight(linear) - weight).cast<double>().transpose();
    const MatrixD output = x * weight.cast<double>().transpose();
    return (error * output_moment).cwiseProduct(error).sum() /
           (output * output_moment).cwiseProduct(output).sum();
  }

  Matrix inputs_ = testing::CorrelatedInputs(500, kFeedbackChannels, 1);
  InputStatistics statistics_ = testing::StatisticsOf(inputs_);
};

TEST_F(RowFeedbackTest, LowersTheLossThatOutputsAreWeightedBy) {
  for (const int64_t rows : {96, 72}) {  // blocks of 32 and of 8
    const Matrix weight = testing::WeightWithOutliers(rows, kFeedbackChannels, 3);
    const MatrixD moment = testing::CorrelatedMoment(rows, 5);
    const double alone = Loss(weight, Quantize(weight, nullptr), moment);
    const double together = Loss(weight, Quantize(weight, &moment), moment);
    EXPECT_LT(together, 0.8 * alone) << rows;
  }
}

// Nothing to make up for: every row is what it is by itself.
TEST_F(RowFeedbackTest, IndependentOutputsAreRoundedOneByOne) {
  const Matrix weight = testing::WeightWithOutliers(96, kFeedbackChannels, 3);
  MatrixD moment = MatrixD::Zero(96, 96);
  for (int64_t i = 0; i < 96; ++i) moment(i, i) = 1 + static_cast<double>(i * 7 % 96);
  const quant::QuantizedLinear alone = Quantize(weight, nullptr);
  const quant::QuantizedLinear together = Quantize(weight, &moment);
  EXPECT_EQ(quant::Problem(together), "");
  // Rows are rounded in chunks of other sizes, and products of other sizes differ in the last bits.
  EXPECT_TRUE(quant::EffectiveWeight(together).isApprox(quant::EffectiveWeight(alone), 2e-3F));
}

TEST_F(RowFeedbackTest, ThreadCountChangesNoBit) {
  const Matrix weight = testing::WeightWithOutliers(96, kFeedbackChannels, 3);
  const MatrixD moment = testing::CorrelatedMoment(96, 5);
  const auto quantize = [&](int threads) {
    SetThreadCount(threads);
    quant::QuantizedLinear linear = Quantize(weight, &moment);
    SetThreadCount(AvailableCores());
    return linear;
  };
  const quant::QuantizedLinear one = quantize(1);
  const quant::QuantizedLinear five = quantize(5);
  EXPECT_EQ(one.codes, five.codes);
  EXPECT_EQ(one.scales, five.scales);
}

}  // namespace
}  // namespace paroquant::method
