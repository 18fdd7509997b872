#include "paroquant/quant/rotation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "paroquant/base/half.h"
#include "paroquant/base/parallel.h"
#include "tests/quant/fixtures.h"
#include "tests/quant/golden_tensors.h"

namespace paroquant::quant {
namespace {

// The definition, one row and one pair after another.
MatrixD RotatedByDefinition(const Rotation& rotation, MatrixD rows) {
  if (rows.rows() == 0) return rows;  // columns that are nowhere
  const int64_t k = rotation.channels;
  const int g = rotation.group_size;
  for (int64_t round = 0; round < rotation.rounds; ++round) {
    for (int64_t pair = 0; pair < k / 2; ++pair) {
      const auto entry = static_cast<size_t>(round * k + 2 * pair);
      const int64_t base = 2 * pair / g * g;
      const int64_t i = base + rotation.pairs[entry];
      const int64_t j = base + rotation.pairs[entry + 1];
      const double theta = HalfToFloat(rotation.theta[static_cast<size_t>(round * k / 2 + pair)]);
      const VectorD x = rows.col(i);
      const VectorD y = rows.col(j);
      rows.col(i) = std::cos(theta) * x + std::sin(theta) * y;
      rows.col(j) = -std::sin(theta) * x + std::cos(theta) * y;
    }
  }
  return rows;
}

class RotationRowsTest : public ::testing::TestWithParam<int64_t> {};

// Counts on both sides of the single-row path, of a tile and of several tiles.
INSTANTIATE_TEST_SUITE_P(RowCounts, RotationRowsTest,
                         ::testing::Values(0, 1, 2, 3, 15, 16, 17, 53));

TEST_P(RotationRowsTest, RotatesByTheDefinition) {
  const Rotation rotation = testing::RandomRotation(192, 64, 3, 1);
  const MatrixD rows = testing::RandomMatrix(GetParam(), 192, 2).cast<double>();
  const VectorD multiplier = testing::RandomMatrix(192, 1, 3).cast<double>();
  const MatrixD expected = RotatedByDefinition(rotation, rows * multiplier.asDiagonal());

  MatrixD doubles(rows.rows(), rows.cols());
  PreparedRotation<double>(rotation).RotateRows(rows, multiplier.data(), doubles);
  EXPECT_TRUE(doubles.isApprox(expected, 1e-14));

  const Vector float_multiplier = multiplier.cast<float>();
  Matrix floats = rows.cast<float>();
  PreparedRotation<float>(rotation).RotateRows(floats, float_multiplier.data(), floats);
  EXPECT_TRUE(floats.cast<double>().isApprox(expected, 1e-6));
}

TEST_P(RotationRowsTest, UnrotatingIsTheInverse) {
  const PreparedRotation<double> rotation(testing::RandomRotation(256, 128, 8, 1));
  const MatrixD rows = testing::RandomMatrix(GetParam(), 256, 2).cast<double>();
  const VectorD scales = testing::RandomMatrix(256, 1, 3).cast<double>().cwiseAbs().array() + 0.5;
  const VectorD inverse = scales.cwiseInverse();
  MatrixD result(rows.rows(), rows.cols());
  rotation.RotateRows(rows, scales.data(), result);
  rotation.UnrotateRows(result, inverse.data(), result);
  EXPECT_TRUE(result.isApprox(rows, 1e-14));
}

TEST_P(RotationRowsTest, ChannelMajorLayoutGivesTheSame) {
  const PreparedRotation<float> rotation(testing::RandomRotation(192, 64, 3, 1));
  const Matrix rows = testing::RandomMatrix(GetParam(), 192, 2);
  const Vector multiplier = testing::RandomMatrix(192, 1, 3);
  Matrix expected(rows.rows(), rows.cols());
  rotation.RotateRows(rows, multiplier.data(), expected);
  Matrix channels = rows.transpose();
  rotation.RotateChannels(channels, multiplier.data(), channels);
  EXPECT_TRUE(channels.transpose().isApprox(expected, 1e-6F));
}

TEST(RotationTest, WorksOnPartsOfAMatrix) {
  const PreparedRotation<float> rotation(testing::RandomRotation(128, 32, 2, 1));
  const Matrix wide = testing::RandomMatrix(20, 200, 2);
  const Matrix part = wide.middleCols(30, 128);
  Matrix expected(20, 128);
  rotation.RotateRows(part, nullptr, expected);
  Matrix result = wide;
  rotation.RotateRows(wide.middleCols(30, 128), nullptr, result.middleCols(30, 128));
  EXPECT_TRUE(result.middleCols(30, 128) == expected);
  EXPECT_TRUE(result.leftCols(30) == wide.leftCols(30));
  EXPECT_TRUE(result.rightCols(42) == wide.rightCols(42));
}

TEST(RotationTest, NoRoundsAndIdentityRotationOnlyScale) {
  const Matrix rows = testing::RandomMatrix(5, 64, 1);
  const Vector multiplier = testing::RandomMatrix(64, 1, 2);
  const Matrix expected = rows * multiplier.asDiagonal();
  for (const Rotation& rotation : {Rotation{}, IdentityRotation(64, 32)}) {
    Matrix result(5, 64);
    PreparedRotation<float>(rotation).RotateRows(rows, multiplier.data(), result);
    EXPECT_TRUE(result == expected);
    PreparedRotation<float>(rotation).UnrotateRows(rows, multiplier.data(), result);
    EXPECT_TRUE(result == expected);
  }
}

TEST(RotationTest, ThreadCountChangesNoBit) {
  const PreparedRotation<float> rotation(testing::RandomRotation(256, 128, 8, 1));
  const Matrix rows = testing::RandomMatrix(100, 256, 2);
  const auto rotate = [&](int threads) {
    SetThreadCount(threads);
    Matrix result(rows.rows(), rows.cols());
    rotation.RotateRows(rows, nullptr, result);
    SetThreadCount(AvailableCores());
    return result;
  };
  EXPECT_TRUE(rotate(1) == rotate(5));
}

class RotationGoldenTest : public ::testing::TestWithParam<const char*> {};

INSTANTIATE_TEST_SUITE_P(Goldens, RotationGoldenTest,
                         ::testing::Values("k192_g64_r3", "k256_g128_r8"));

TEST_P(RotationGoldenTest, AgreesWithTheReferenceImplementation) {
  const testing::GoldenTensors golden(std::string("rotation/") + GetParam() + ".safetensors");
  const std::string name = GetParam();
  const MatrixD theta = golden.Get<double>("theta");
  const MatrixD scales = golden.Get<double>("channel_scales");
  const std::vector<int16_t> pairs = golden.Values<int16_t>("pairs");
  Rotation rotation{.channels = scales.size(),
                    .group_size = name.find("g64") != std::string::npos ? 64 : 128,
                    .rounds = static_cast<int>(theta.rows()),
                    .pairs = pairs,
                    .theta = {}};
  for (const double angle : theta.reshaped<Eigen::RowMajor>()) {
    rotation.theta.push_back(FloatToHalf(static_cast<float>(angle)));
  }
  const PreparedRotation<double> prepared(rotation);

  const MatrixD weight = golden.Get<double>("weight");
  MatrixD weight_rotated(weight.rows(), weight.cols());
  prepared.RotateRows(weight, scales.data(), weight_rotated);
  EXPECT_TRUE(weight_rotated.isApprox(golden.Get<double>("weight_rotated"), 1e-13));

  const MatrixD x = golden.Get<double>("x");
  const MatrixD inverse = scales.cwiseInverse();
  MatrixD x_rotated(x.rows(), x.cols());
  prepared.RotateRows(x, inverse.data(), x_rotated);
  EXPECT_TRUE(x_rotated.isApprox(golden.Get<double>("x_rotated"), 1e-13));
  EXPECT_TRUE((x_rotated * weight_rotated.transpose()).isApprox(golden.Get<double>("y"), 1e-13));

  const Matrix stored = golden.Get<float>("channel_scales_inverse_f16");
  const Matrix x_float = x.cast<float>();
  Matrix x_stored(x.rows(), x.cols());
  PreparedRotation<float>(rotation).RotateRows(x_float, stored.data(), x_stored);
  EXPECT_TRUE(x_stored.isApprox(golden.Get<float>("x_rotated_stored_scales"), 1e-6F));
}

}  // namespace
}  // namespace paroquant::quant
