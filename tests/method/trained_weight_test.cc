#include "method/trained_weight.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "paroquant/base/half.h"
#include "paroquant/base/parallel.h"
#include "paroquant/method/quantize_linear.h"
#include "paroquant/quant/dequantize.h"
#include "paroquant/quant/rotation.h"
#include "tests/method/fixtures.h"
#include "tests/quant/fixtures.h"
#include "tests/testing/gradient_check.h"

namespace paroquant::method {
namespace {

using paroquant::testing::CentralDifferences;
using paroquant::testing::GradientError;
using quant::testing::RandomMatrix;

constexpr int kBits = 3;
constexpr int kGroupSize = 8;
constexpr int64_t kWeightChannels = 16;
constexpr int64_t kWeightRows = 19;
// Gradients in float32 against differences in double.
constexpr double kTolerance = 2e-5;

struct ParametersD {
  MatrixD weight, factors, angles, scales, zeros;
};

// The chain in double precision, with what rounding adds to a weight (in steps) and whether it is
// clamped held as they are at one point: what the straight-through gradient is the gradient of.
class Surrogate {
 public:
  Surrogate(const quant::QuantizedLinear& start, const WeightParameters& at, GridSource source,
            ClampGradient clamp, TrainedBasis basis)
      : start_(start), source_(source), clamp_(clamp), basis_(basis) {
    const ParametersD point = AsDouble(at);
    zeros_at_ = point.zeros;
    const MatrixD rotated = Rotated(point);
    const MatrixD scales = Scales(point, rotated);
    zeros_ = Zeros(point, rotated, scales);
    MatrixD steps(rotated.rows(), rotated.cols());
    added_ = codes_ = inside_ = steps;
    for (int64_t k = 0; k < kWeightChannels; ++k) {
      for (int64_t n = 0; n < kWeightRows; ++n) {
        const double step = rotated(k, n) / scales(k / kGroupSize, n);
        const double code = std::rint(step) + zeros_(k / kGroupSize, n);
        codes_(k, n) = std::clamp(code, 0.0, std::pow(2.0, kBits) - 1);
        added_(k, n) = codes_(k, n) - zeros_(k / kGroupSize, n) - step;
        inside_(k, n) = code == codes_(k, n) ? 1 : 0;
      }
    }
  }

  static ParametersD AsDouble(const WeightParameters& p) {
    ParametersD result{.weight = p.weight.cast<double>(),
                       .factors = p.column_factors.cast<double>(),
                       .angles = p.angles.cast<double>(),
                       .scales = p.grids.scales.cast<double>(),
                       .zeros = p.grids.zeros.cast<double>()};
    return result;
  }

  // sum(direction * effective weight)
  double Loss(const ParametersD& p, const MatrixD& direction) const {
    const MatrixD rotated = Rotated(p);
    const MatrixD scales = Scales(p, rotated);
    MatrixD values(rotated.rows(), rotated.cols());
    for (int64_t k = 0; k < kWeightChannels; ++k) {
      for (int64_t n = 0; n < kWeightRows; ++n) {
        const double scale = scales(k / kGroupSize, n);
        values(k, n) = rotated(k, n) + added_(k, n) * scale;
        if (clamp_ == ClampGradient::kExact && inside_(k, n) == 0) {
          const double moved = p.zeros(k / kGroupSize, n) - zeros_at_(k / kGroupSize, n);
          values(k, n) = (codes_(k, n) - zeros_(k / kGroupSize, n) - moved) * scale;
        }
      }
    }
    Prepared(p).UnrotateChannels(values, nullptr, values);
    const VectorD stored = quant::ChannelScales(start_).cast<double>();
    for (int64_t k = 0; k < kWeightChannels; ++k) values.row(k) *= stored[k] / p.factors(k, 0);
    return values.cwiseProduct(direction).sum();
  }

 private:
  quant::PreparedRotation<double> Prepared(const ParametersD& p) const {
    return {start_.rotation, std::span(p.angles.data(), static_cast<size_t>(p.angles.size()))};
  }
  MatrixD Rotated(const ParametersD& p) const {
    if (basis_ == TrainedBasis::kSteps) {
      MatrixD weights = p.weight;
      for (int64_t k = 0; k < kWeightChannels; ++k) {
        weights.row(k) = weights.row(k).cwiseProduct(p.scales.row(k / kGroupSize));
      }
      return weights;
    }
    MatrixD rotated(p.weight.rows(), p.weight.cols());
    Prepared(p).RotateChannels(p.weight, p.factors.data(), rotated);
    return rotated;
  }
  MatrixD Scales(const ParametersD& p, const MatrixD& rotated) const {
    if (source_ == GridSource::kLearned) return p.scales;
    MatrixD scales = p.scales;
    for (int64_t g = 0; g < scales.rows(); ++g) {
      const auto group = rotated.middleRows(g * kGroupSize, kGroupSize);
      if (IsSymmetric(start_)) {
        scales.row(g) = group.cwiseAbs().colwise().maxCoeff() / ((std::pow(2.0, kBits) - 1) / 2);
        continue;
      }
      scales.row(g) =
          (group.colwise().maxCoeff().cwiseMax(0.0) - group.colwise().minCoeff().cwiseMin(0.0)) /
          (std::pow(2.0, kBits) - 1);
    }
    return scales;
  }
  MatrixD Zeros(const ParametersD& p, const MatrixD& rotated, const MatrixD& scales) const {
    MatrixD zeros = p.zeros;
    for (int64_t g = 0; source_ == GridSource::kMinMax && g < zeros.rows(); ++g) {
      const auto group = rotated.middleRows(g * kGroupSize, kGroupSize);
      zeros.row(g) = -group.colwise().minCoeff().cwiseMin(0.0).cwiseQuotient(scales.row(g));
      if (IsSymmetric(start_)) zeros.row(g).setConstant(quant::MiddleCode(kBits));
    }
    return zeros.array().rint().max(0.0).min(std::pow(2.0, kBits) - 1);
  }

  const quant::QuantizedLinear& start_;
  GridSource source_;
  ClampGradient clamp_;
  TrainedBasis basis_;
  MatrixD zeros_at_, zeros_, added_, codes_, inside_;
};

struct Case {
  GridSource source;
  ClampGradient clamp;
  TrainedBasis basis;
  bool symmetric = false;
};

quant::QuantizedLinear SomeStart(bool symmetric = false) {
  quant::QuantizedLinear start =
      quant::testing::RandomQuantizedLinear(kWeightRows, kWeightChannels, kBits, kGroupSize, 3);
  // Zero points about the middle, so that the weights below lie mostly in range, but not all.
  for (uint8_t& zero : start.zeros) zero = symmetric ? quant::MiddleCode(kBits) : 3;
  for (uint16_t& scale : start.scales) scale = FloatToHalf(0.4F);
  return start;
}

// The farthest weight of a symmetric grid lies between two codes, and rounding decides by its last
// bit. Upwards both are the last code. Turns the weights of groups whose farthest is below.
void TurnFarthestUp(const quant::QuantizedLinear& start, WeightParameters& parameters) {
  const ParametersD at = Surrogate::AsDouble(parameters);
  MatrixD rotated(kWeightChannels, kWeightRows);
  quant::PreparedRotation<double>(start.rotation, {at.angles.data(), size_t(at.angles.size())})
      .RotateChannels(at.weight, at.factors.data(), rotated);
  for (int64_t first = 0; first < kWeightChannels; first += kGroupSize) {
    for (int64_t n = 0; n < kWeightRows; ++n) {
      const auto group = rotated.col(n).segment(first, kGroupSize);
      if (-group.minCoeff() < group.maxCoeff()) continue;
      parameters.weight.col(n).segment(first, kGroupSize) *= -1;
    }
  }
}

class TrainedWeightGradientTest : public ::testing::TestWithParam<Case> {};

INSTANTIATE_TEST_SUITE_P(
    Cases, TrainedWeightGradientTest,
    ::testing::Values(
        Case{GridSource::kMinMax, ClampGradient::kStraightThrough, TrainedBasis::kOriginal},
        Case{GridSource::kMinMax, ClampGradient::kStraightThrough, TrainedBasis::kOriginal, true},
        Case{GridSource::kLearned, ClampGradient::kStraightThrough, TrainedBasis::kOriginal},
        Case{GridSource::kLearned, ClampGradient::kExact, TrainedBasis::kOriginal},
        Case{GridSource::kLearned, ClampGradient::kStraightThrough, TrainedBasis::kSteps},
        Case{GridSource::kLearned, ClampGradient::kExact, TrainedBasis::kSteps}));

TEST_P(TrainedWeightGradientTest, AgreesWithCentralDifferencesOfTheSurrogate) {
  const auto [source, clamp, basis, symmetric] = GetParam();
  const quant::QuantizedLinear start = SomeStart(symmetric);
  TrainedWeight trained(start, RandomMatrix(kWeightRows, kWeightChannels, 5), basis, 0.45F);
  // Away from the start, and some of it out of range.
  trained.parameters().weight += 0.6F * RandomMatrix(kWeightChannels, kWeightRows, 8);
  trained.parameters().column_factors = (RandomMatrix(kWeightChannels, 1, 6) / 8).array().exp();
  trained.parameters().grids.zeros.array() += 0.2F;
  if (symmetric) TurnFarthestUp(start, trained.parameters());

  const Matrix direction = RandomMatrix(kWeightChannels, kWeightRows, 7);
  Matrix effective;
  trained.Forward(source, effective);
  WeightParameters found;
  trained.Backward(source, clamp, effective, direction, found);

  const Surrogate surrogate(start, trained.parameters(), source, clamp, basis);
  const ParametersD at = Surrogate::AsDouble(trained.parameters());
  const MatrixD direction_d = direction.cast<double>();
  EXPECT_NEAR(surrogate.Loss(at, direction_d),
              effective.cast<double>().cwiseProduct(direction_d).sum(), 1e-3);
  const auto differences = [&](MatrixD ParametersD::*part) {
    const std::function<double(const MatrixD&)> loss = [&](const MatrixD& x) {
      ParametersD moved = at;
      moved.*part = x;
      return surrogate.Loss(moved, direction_d);
    };
    return CentralDifferences<double>(loss, at.*part, 1e-6);
  };
  const auto error = [&](const auto& gradient, MatrixD ParametersD::*part) {
    const MatrixD as_double = gradient.template cast<double>();
    return GradientError<double>(as_double, differences(part));
  };
  EXPECT_LE(error(found.weight, &ParametersD::weight), kTolerance);
  EXPECT_LE(error(found.column_factors, &ParametersD::factors), kTolerance);
  EXPECT_LE(error(found.angles, &ParametersD::angles), kTolerance);
  if (source == GridSource::kMinMax) return;
  EXPECT_LE(error(found.grids.scales, &ParametersD::scales), kTolerance);
  if (clamp == ClampGradient::kExact) {
    EXPECT_GT(found.grids.zeros.cwiseAbs().maxCoeff(), 0);
    EXPECT_LE(error(found.grids.zeros, &ParametersD::zeros), kTolerance);
  } else {
    EXPECT_TRUE(found.grids.zeros.isZero(0));
  }
}

TEST(TrainedWeightTest, KeepingCodesGivesTheStartBack) {
  const Matrix weight = testing::WeightWithOutliers(40, 128, 1);
  const InputStatistics statistics = testing::StatisticsOf(testing::CorrelatedInputs(300, 128, 2));
  const quant::QuantizedLinear start =
      QuantizeLinear({.name = "layer", .target = weight, .statistics = &statistics}, {},
                     {.group_size = 64, .rotations = 4});
  TrainedWeight trained(start, weight, TrainedBasis::kSteps, 0.45F);
  const quant::QuantizedLinear snapped = trained.Snap(GridSource::kLearned);
  EXPECT_EQ(snapped.codes, start.codes);
  EXPECT_EQ(snapped.scales, start.scales);
  EXPECT_EQ(snapped.zeros, start.zeros);
  EXPECT_EQ(snapped.channel_scales, start.channel_scales);
  EXPECT_EQ(snapped.rotation.theta, start.rotation.theta);

  Matrix effective;
  trained.Forward(GridSource::kLearned, effective);
  EXPECT_TRUE(effective.transpose().isApprox(quant::EffectiveWeight(start), 1e-5F));
}

TEST(TrainedWeightTest, FixedGridsAreThoseOfTheRange) {
  const quant::QuantizedLinear start = SomeStart();
  TrainedWeight trained(start, RandomMatrix(kWeightRows, kWeightChannels, 5),
                        TrainedBasis::kOriginal, 0);
  Matrix ranged;
  trained.Forward(GridSource::kMinMax, ranged);
  trained.FixGrids();
  Matrix fixed;
  trained.Forward(GridSource::kLearned, fixed);
  EXPECT_TRUE(ranged == fixed);
}

TEST(TrainedWeightTest, SymmetricCodesStaySymmetric) {
  TrainedWeight trained(SomeStart(true), RandomMatrix(kWeightRows, kWeightChannels, 5),
                        TrainedBasis::kOriginal, 0);
  EXPECT_FALSE(trained.LearnsZeros());
  EXPECT_TRUE(IsSymmetric(trained.Snap(GridSource::kMinMax)));
  trained.FixGrids();
  EXPECT_TRUE(IsSymmetric(trained.Snap(GridSource::kLearned)));
}

}  // namespace
}  // namespace paroquant::method
