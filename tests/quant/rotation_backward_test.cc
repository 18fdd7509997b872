#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "paroquant/base/half.h"
#include "paroquant/base/parallel.h"
#include "paroquant/quant/rotation.h"
#include "tests/quant/fixtures.h"
#include "tests/quant/golden_tensors.h"
#include "tests/testing/gradient_check.h"

namespace paroquant::quant {
namespace {

using paroquant::testing::CentralDifferences;
using paroquant::testing::GradientError;

MatrixD Angles(const Rotation& rotation) {
  MatrixD angles(rotation.rounds, rotation.channels / 2);
  for (size_t i = 0; i < rotation.theta.size(); ++i) {
    angles.data()[i] = HalfToFloat(rotation.theta[i]);
  }
  return angles;
}

std::span<double> Span(MatrixD& matrix) {
  return {matrix.data(), static_cast<size_t>(matrix.size())};
}

class RotationBackwardGoldenTest : public ::testing::TestWithParam<const char*> {};

INSTANTIATE_TEST_SUITE_P(Goldens, RotationBackwardGoldenTest,
                         ::testing::Values("k192_g64_r3", "k256_g128_r8"));

// The goldens' function is sum(G * rotate(weight * s)).
TEST_P(RotationBackwardGoldenTest, GradientsAreThoseOfTheReference) {
  const std::string name = GetParam();
  const testing::GoldenTensors golden("rotation/" + name + ".safetensors");
  const MatrixD theta = golden.Get<double>("theta");
  const MatrixD weight = golden.Get<double>("weight");
  const MatrixD scales = golden.Get<double>("channel_scales");
  Rotation rotation{.channels = weight.cols(),
                    .group_size = name.find("g64") != std::string::npos ? 64 : 128,
                    .rounds = static_cast<int>(theta.rows()),
                    .pairs = golden.Values<int16_t>("pairs"),
                    .theta = {}};
  const PreparedRotation<double> prepared(
      rotation, std::span(theta.data(), static_cast<size_t>(theta.size())));

  MatrixD values = golden.Get<double>("weight_rotated").transpose();
  MatrixD gradients = golden.Get<double>("G").transpose();
  MatrixD angles = MatrixD::Zero(theta.rows(), theta.cols());
  prepared.RotateChannelsBackward(values, gradients, Span(angles));

  const MatrixD scaled = weight * scales.row(0).asDiagonal();
  EXPECT_LE(GradientError<double>(values.transpose(), scaled), 1e-13);
  EXPECT_LE(GradientError<double>(angles, golden.Get<double>("grad.theta")), 1e-12);
  EXPECT_LE(GradientError<double>(gradients.transpose() * scales.row(0).asDiagonal(),
                                  golden.Get<double>("grad.weight")),
            1e-12);
  const MatrixD scale_gradients = gradients.transpose().cwiseProduct(weight).colwise().sum();
  EXPECT_LE(GradientError<double>(scale_gradients, golden.Get<double>("grad.channel_scales")),
            1e-12);
}

// 21 columns: a whole tile and a part of one.
class RotationBackwardTest : public ::testing::TestWithParam<bool> {};

INSTANTIATE_TEST_SUITE_P(Directions, RotationBackwardTest, ::testing::Bool());

TEST_P(RotationBackwardTest, AgreesWithCentralDifferences) {
  const bool inverse = GetParam();
  const Rotation rotation = testing::RandomRotation(16, 8, 3, 1);
  const MatrixD channels = testing::RandomMatrix(16, 21, 2).cast<double>();
  const MatrixD direction = testing::RandomMatrix(16, 21, 3).cast<double>();
  const auto transform = [&](const MatrixD& angles, const MatrixD& source) {
    const PreparedRotation<double> prepared(
        rotation, std::span(angles.data(), static_cast<size_t>(angles.size())));
    MatrixD target(source.rows(), source.cols());
    if (inverse) {
      prepared.UnrotateChannels(source, nullptr, target);
    } else {
      prepared.RotateChannels(source, nullptr, target);
    }
    return target;
  };
  const MatrixD angles = Angles(rotation);
  MatrixD values = transform(angles, channels);
  MatrixD gradients = direction;
  MatrixD angle_gradients = MatrixD::Zero(angles.rows(), angles.cols());
  const PreparedRotation<double> prepared(rotation);
  if (inverse) {
    prepared.UnrotateChannelsBackward(values, gradients, Span(angle_gradients));
  } else {
    prepared.RotateChannelsBackward(values, gradients, Span(angle_gradients));
  }
  const std::function<double(const MatrixD&)> of_angles = [&](const MatrixD& x) {
    return transform(x, channels).cwiseProduct(direction).sum();
  };
  const std::function<double(const MatrixD&)> of_values = [&](const MatrixD& x) {
    return transform(angles, x).cwiseProduct(direction).sum();
  };
  EXPECT_LE(GradientError<double>(values, channels), 1e-13);
  EXPECT_LE(
      GradientError<double>(angle_gradients, CentralDifferences<double>(of_angles, angles, 1e-5)),
      1e-8);
  EXPECT_LE(GradientError<double>(gradients, CentralDifferences<double>(of_values, channels, 1e-5)),
            1e-8);
}

TEST(RotationBackwardTest, ThreadCountChangesNoBit) {
  const PreparedRotation<float> rotation(testing::RandomRotation(256, 128, 8, 1));
  const auto angle_gradients = [&](int threads) {
    SetThreadCount(threads);
    Matrix values = testing::RandomMatrix(256, 1300, 2);
    Matrix gradients = testing::RandomMatrix(256, 1300, 3);
    std::vector<float> result(8 * 128);
    rotation.RotateChannelsBackward(values, gradients, result);
    SetThreadCount(AvailableCores());
    return result;
  };
  EXPECT_EQ(angle_gradients(1), angle_gradients(5));
}

}  // namespace
}  // namespace paroquant::quant
