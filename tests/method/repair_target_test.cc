#include "paroquant/method/repair_target.h"

#include <gtest/gtest.h>

#include "paroquant/base/parallel.h"
#include "paroquant/linalg/product.h"
#include "tests/method/fixtures.h"
#include "tests/quant/fixtures.h"

namespace paroquant::method {
namespace {

using quant::testing::RandomMatrix;

constexpr int64_t kTargetChannels = 48;
constexpr int64_t kTargetRows = 20;
constexpr double kDamping = 0.01;

MatrixD Gram(const MatrixD& rows) { return rows.transpose() * rows; }

// A layer's inputs in the quantized model, and those in the 16-bit model: a linear function of them
// that `bias` makes different, plus noise. The two halves are of different lengths.
struct Streams {
  explicit Streams(float bias, float noise, uint64_t seed = 1) {
    const Matrix mix = RandomMatrix(kTargetChannels, kTargetChannels, 50) / 16;
    for (const size_t half : {0U, 1U}) {
      const int64_t tokens = half == 0 ? 200 : 260;
      quantized[half] = testing::CorrelatedInputs(tokens, kTargetChannels, seed + 10 * half);
      original[half] = quantized[half] + bias * quantized[half] * mix +
                       noise * RandomMatrix(tokens, kTargetChannels, seed + 10 * half + 5);
    }
  }

  StageMoments Moments() const {
    StageMoments moments("stage", kTargetChannels, RepairForm::kInputs, kTargetChannels);
    for (const size_t half : {0U, 1U}) {
      moments.halves[half].inputs.Add(quantized[half]);
      linalg::AddCrossProduct(original[half] - quantized[half], quantized[half],
                              moments.halves[half].repair);
    }
    return moments;
  }

  // Mean over tokens of a half of |W x_f - (W + correction) x|^2, in double.
  double Loss(size_t half, const MatrixD& weight, const MatrixD& correction) const {
    const MatrixD difference = (original[half] - quantized[half]).cast<double>();
    const MatrixD x = quantized[half].cast<double>();
    return (difference * weight.transpose() - x * correction.transpose()).squaredNorm() /
           static_cast<double>(x.rows());
  }

  // The ridge regression of the lost outputs on the inputs of some halves, with the ridge flat
  // where each input is multiplied by the norm of its column.
  MatrixD Correction(const std::vector<size_t>& halves, const MatrixD& weight) const {
    MatrixD moment = MatrixD::Zero(kTargetChannels, kTargetChannels);
    MatrixD numerator = MatrixD::Zero(kTargetRows, kTargetChannels);
    VectorD squares = VectorD::Zero(kTargetChannels);  // mean x_j^2 of both halves
    double tokens = 0;
    for (const size_t half : halves) {
      const MatrixD x = quantized[half].cast<double>();
      moment += Gram(x);
      numerator += weight * (original[half].cast<double>() - x).transpose() * x;
      tokens += static_cast<double>(x.rows());
    }
    const double all = static_cast<double>(quantized[0].rows() + quantized[1].rows());
    for (const size_t half : {0U, 1U}) {
      squares += Gram(quantized[half].cast<double>()).diagonal() / all;
    }
    const VectorD norms = weight.colwise().squaredNorm().transpose();
    moment /= tokens;
    moment.diagonal() += kDamping * squares.dot(norms) / kTargetChannels * norms.cwiseInverse();
    return moment.llt().solve((numerator / tokens).transpose()).transpose();
  }

  Matrix quantized[2], original[2];
};

class RepairTargetTest : public ::testing::Test {
 protected:
  RepairedTarget Repair(const Streams& streams, TargetChoice choice) const {
    StageMoments moments = streams.Moments();
    return RepairTargets(moments, {&weight_, 1}, choice, kDamping).front();
  }

  const Matrix weight_ = RandomMatrix(kTargetRows, kTargetChannels, 30);
  const MatrixD weight_d_ = weight_.cast<double>();
};

TEST_F(RepairTargetTest, InFullIsTheRidgeRegressionOfWhatWasLost) {
  const Streams streams(1, 0.5F);
  const RepairedTarget target = Repair(streams, TargetChoice::kStreamFull);
  EXPECT_EQ(target.factor, 1);
  const MatrixD correction = (target.weight - weight_).cast<double>();
  EXPECT_TRUE(correction.isApprox(streams.Correction({0, 1}, weight_d_), 1e-4));
}

TEST_F(RepairTargetTest, TheFactorLowersTheLossOfTheOtherHalfMost) {
  const Streams streams(1, 3);
  const double factor = Repair(streams, TargetChoice::kStreamShrunk).factor;
  EXPECT_GT(factor, 0.05);
  EXPECT_LT(factor, 0.95);
  const MatrixD first = streams.Correction({0}, weight_d_);
  const MatrixD second = streams.Correction({1}, weight_d_);
  const auto loss = [&](double a) {
    return streams.Loss(1, weight_d_, a * first) + streams.Loss(0, weight_d_, a * second);
  };
  EXPECT_LT(loss(factor), loss(factor + 1e-3));
  EXPECT_LT(loss(factor), loss(factor - 1e-3));
}

TEST_F(RepairTargetTest, ShrunkIsTheFullCorrectionTimesTheFactor) {
  const Streams streams(1, 3);
  const RepairedTarget shrunk = Repair(streams, TargetChoice::kStreamShrunk);
  const RepairedTarget full = Repair(streams, TargetChoice::kStreamFull);
  const Matrix expected = weight_ + static_cast<float>(shrunk.factor) * (full.weight - weight_);
  EXPECT_TRUE(shrunk.weight.isApprox(expected, 1e-5F));
}

// A channel that is larger in the inputs and smaller in the weight is the same problem.
TEST_F(RepairTargetTest, OutlierChannelsChangeNothing) {
  Streams streams(1, 0.5F);
  const Matrix plain = Repair(streams, TargetChoice::kStreamShrunk).weight;
  Vector factors = Vector::Ones(kTargetChannels);
  factors[3] = factors[17] = 64;
  for (const size_t half : {0U, 1U}) {
    streams.quantized[half] *= factors.asDiagonal();
    streams.original[half] *= factors.asDiagonal();
  }
  const Matrix weight = weight_ * factors.cwiseInverse().asDiagonal();
  StageMoments moments = streams.Moments();
  const Matrix moved =
      RepairTargets(moments, {&weight, 1}, TargetChoice::kStreamShrunk, kDamping).front().weight;
  EXPECT_TRUE((moved * factors.asDiagonal()).isApprox(plain, 1e-4F));
}

TEST_F(RepairTargetTest, NoiseAloneIsNotRepaired) {
  double sum = 0;
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    sum += Repair(Streams(0, 1, 100 * seed), TargetChoice::kStreamShrunk).factor;
  }
  EXPECT_LT(sum / 8, 0.1);
}

TEST_F(RepairTargetTest, WhatIsALinearFunctionIsRepairedInFull) {
  EXPECT_GT(Repair(Streams(1, 0), TargetChoice::kStreamShrunk).factor, 0.98);
}

TEST_F(RepairTargetTest, NothingLostLeavesTheWeight) {
  const Streams streams(0, 0);
  for (const TargetChoice choice :
       {TargetChoice::kWeight, TargetChoice::kStreamFull, TargetChoice::kStreamShrunk}) {
    EXPECT_TRUE(Repair(streams, choice).weight == weight_);
  }
}

TEST_F(RepairTargetTest, LostOutputsAreRepairedLikeLostInputs) {
  const Streams streams(1, 3);
  StageMoments moments("stage", kTargetChannels, RepairForm::kOutputs, kTargetRows);
  for (const size_t half : {0U, 1U}) {
    moments.halves[half].inputs.Add(streams.quantized[half]);
    const Matrix wanted = streams.original[half] * weight_.transpose();
    linalg::AddCrossProduct(wanted, streams.quantized[half], moments.halves[half].repair);
  }
  const auto target =
      RepairTargets(moments, {&weight_, 1}, TargetChoice::kStreamShrunk, kDamping).front();
  const RepairedTarget expected = Repair(streams, TargetChoice::kStreamShrunk);
  EXPECT_NEAR(target.factor, expected.factor, 1e-4);
  EXPECT_TRUE(target.weight.isApprox(expected.weight, 1e-4F));
}

// Rows that come three times: every third of them is each once, and tells the same.
TEST_F(RepairTargetTest, EvenlySpacedRowsOfManyDecideOnTheFactor) {
  constexpr int64_t kTimes = 3;
  const Matrix few = RandomMatrix(367, kTargetChannels, 31);
  Matrix many(kTimes * few.rows(), kTargetChannels);
  for (int64_t row = 0; row < many.rows(); ++row) many.row(row) = few.row(row / kTimes);
  const Streams streams(1, 3);
  for (const RepairForm form : {RepairForm::kInputs, RepairForm::kOutputs}) {
    const auto factor = [&](const Matrix& weight) {
      const bool inputs = form == RepairForm::kInputs;
      StageMoments moments("stage", kTargetChannels, form,
                           inputs ? kTargetChannels : weight.rows());
      for (const size_t half : {0U, 1U}) {
        const Matrix& x = streams.quantized[half];
        const Matrix& original = streams.original[half];
        moments.halves[half].inputs.Add(x);
        const Matrix lost = inputs ? Matrix(original - x) : Matrix(original * weight.transpose());
        linalg::AddCrossProduct(lost, x, moments.halves[half].repair);
      }
      return RepairTargets(moments, {&weight, 1}, TargetChoice::kStreamShrunk, kDamping)
          .front()
          .factor;
    };
    const double expected = factor(few);
    EXPECT_GT(expected, 0.05);
    EXPECT_LT(expected, 0.95);
    EXPECT_NEAR(factor(many), expected, 1e-4);
  }
}

TEST_F(RepairTargetTest, OneHalfWithoutTokensLeavesTheWeight) {
  StageMoments moments("stage", kTargetChannels, RepairForm::kInputs, kTargetChannels);
  moments.halves[0].inputs.Add(Streams(1, 1).quantized[0]);
  EXPECT_TRUE(
      RepairTargets(moments, {&weight_, 1}, TargetChoice::kStreamShrunk, kDamping).front().weight ==
      weight_);
}

TEST_F(RepairTargetTest, DeadAndEqualInputsGiveFiniteTargets) {
  Streams streams(1, 1);
  for (const size_t half : {0U, 1U}) {
    streams.quantized[half].leftCols(8).setZero();
    streams.quantized[half].col(20) = streams.quantized[half].col(21);
  }
  const RepairedTarget target = Repair(streams, TargetChoice::kStreamShrunk);
  EXPECT_TRUE(target.weight.allFinite());
  EXPECT_GT(target.factor, 0);
}

TEST_F(RepairTargetTest, ThreadCountChangesNoBit) {
  const auto repair = [&](int threads) {
    SetThreadCount(threads);
    RepairedTarget target = Repair(Streams(1, 2), TargetChoice::kStreamShrunk);
    SetThreadCount(AvailableCores());
    return target;
  };
  const RepairedTarget one = repair(1);
  const RepairedTarget three = repair(3);
  EXPECT_TRUE(one.weight == three.weight);
  EXPECT_EQ(one.factor, three.factor);
}

TEST(StageMomentsTest, JoinedInputsAreThoseOfAllTokens) {
  const Streams streams(1, 1);
  StageMoments moments = streams.Moments();
  EXPECT_EQ(moments.JoinInputs().tokens(), 460);
  const InputStatistics joined = moments.TakeInputs();  // which joins nothing again
  EXPECT_EQ(joined.tokens(), 460);
  const MatrixD expected =
      (Gram(streams.quantized[0].cast<double>()) + Gram(streams.quantized[1].cast<double>())) / 460;
  EXPECT_TRUE(joined.Moment(0).isApprox(expected, 1e-6));
}

}  // namespace
}  // namespace paroquant::method
