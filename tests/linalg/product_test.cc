#include "paroquant/linalg/product.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>
#include <vector>

#include "linalg/tile.h"
#include "paroquant/base/parallel.h"
#include "paroquant/base/rng.h"

namespace paroquant::linalg {
namespace {

Matrix UniformMatrix(int64_t rows, int64_t columns, uint64_t seed) {
  Rng rng(seed);
  Matrix matrix(rows, columns);
  for (int64_t i = 0; i < matrix.size(); ++i) {
    matrix.data()[i] = static_cast<float>(2 * rng.Uniform() - 1);
  }
  return matrix;
}

// Rounding of a sum of k products of numbers below 1.
double Tolerance(int64_t k) { return 1e-6 * static_cast<double>(k); }

double LargestDifference(const MatrixD& found, const MatrixD& expected) {
  return (found - expected).cwiseAbs().maxCoeff();
}

// M, K, N
class ProductTest : public ::testing::TestWithParam<std::tuple<int64_t, int64_t, int64_t>> {};

TEST_P(ProductTest, EqualsTheSumsInDouble) {
  const auto [m, k, n] = GetParam();
  const Matrix a = UniformMatrix(m, k, 1);
  const Matrix b = UniformMatrix(k, n, 2);
  const MatrixD expected = a.cast<double>() * b.cast<double>();
  // Old contents and what lies beside the product must not matter, nor be touched.
  Matrix storage = Matrix::Constant(m, n + 3, 7.0F);
  Multiply(a, b, storage.leftCols(n));
  EXPECT_LE(LargestDifference(storage.leftCols(n).cast<double>(), expected), Tolerance(k));
  EXPECT_TRUE((storage.rightCols(3).array() == 7.0F).all());

  const Matrix b_transposed = b.transpose();
  Matrix from_transposed(m, n);
  MultiplyTransposed(a, b_transposed, from_transposed);
  EXPECT_EQ(from_transposed, storage.leftCols(n));
}

TEST_P(ProductTest, IsTheSameForAnyNumberOfThreads) {
  const auto [m, k, n] = GetParam();
  const Matrix a = UniformMatrix(m, k, 3);
  const Matrix b = UniformMatrix(k, n, 4);
  Matrix one(m, n);
  Matrix three(m, n);
  SetThreadCount(1);
  Multiply(a, b, one);
  SetThreadCount(3);
  Multiply(a, b, three);
  EXPECT_EQ(one, three);
}

// Around the sizes of tiles, panels and chunks.
INSTANTIATE_TEST_SUITE_P(Shapes, ProductTest,
                         ::testing::Values(std::tuple{1, 1, 1}, std::tuple{1, 300, 129},
                                           std::tuple{5, 256, 31}, std::tuple{6, 257, 32},
                                           std::tuple{13, 64, 33}, std::tuple{14, 512, 128},
                                           std::tuple{15, 100, 127}, std::tuple{85, 1, 260},
                                           std::tuple{2100, 40, 17}, std::tuple{300, 700, 300}));

TEST(ProductTest, AddsTheBiasAndReadsViews) {
  const Matrix storage = UniformMatrix(20, 90, 5);
  const auto a = storage.leftCols(40);
  const auto b = storage.rightCols(40).topRows(9);  // [N, K]
  const std::vector<float> bias = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  const auto pack = [](const Panel& panel, float* strips) {
    std::fill_n(strips, panel.depth * kTileColumns, 0.0F);
  };
  Matrix only_bias(20, 9);
  Multiply(a, pack, bias, only_bias);
  for (int64_t row = 0; row < 20; ++row) EXPECT_EQ(only_bias(row, 8), 9.0F);

  Matrix no_channels(20, 9);
  Multiply(a.leftCols(0), pack, bias, no_channels);
  EXPECT_EQ(no_channels, only_bias);

  Matrix product(20, 9);
  MultiplyTransposed(a, b, product);
  EXPECT_LE(
      LargestDifference(product.cast<double>(), a.cast<double>() * b.cast<double>().transpose()),
      Tolerance(40));
}

TEST(ProductTest, AddsGramAndCrossProductsInDouble) {
  for (const int64_t tokens : {1, 511, 1300}) {
    for (const int64_t channels : {1, 30, 300}) {
      const Matrix x = UniformMatrix(tokens, channels, 6);
      const Matrix y = UniformMatrix(tokens, 77, 7);
      const MatrixD xd = x.cast<double>();
      MatrixD cross = MatrixD::Constant(channels, 77, 2.0);
      AddCrossProduct(x, y, cross);
      EXPECT_LE(
          LargestDifference(cross, ((xd.transpose() * y.cast<double>()).array() + 2.0).matrix()),
          Tolerance(512));
      MatrixD gram = MatrixD::Zero(channels, channels);
      AddGram(x, gram);
      const MatrixD lower = gram.triangularView<Eigen::Lower>();
      const MatrixD expected = (xd.transpose() * xd).triangularView<Eigen::Lower>();
      EXPECT_LE(LargestDifference(lower, expected), Tolerance(512));
    }
  }
}

}  // namespace
}  // namespace paroquant::linalg
