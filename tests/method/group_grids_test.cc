#include "method/group_grids.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "paroquant/base/half.h"
#include "tests/quant/fixtures.h"

namespace paroquant::method {
namespace {

using quant::testing::RandomMatrix;

// e^T costs e of a row on a grid, one weight after the other in double.
double Cost(const Vector& weights, const MatrixD& costs, const quant::Grid& grid, int bits) {
  VectorD error(weights.size());
  for (Eigen::Index i = 0; i < weights.size(); ++i) {
    const double nearest = std::nearbyint(weights[i] / grid.scale) + grid.zero;
    const double code = std::clamp(nearest, 0.0, static_cast<double>(quant::MaxCode(bits)));
    error[i] = (code - grid.zero) * grid.scale - weights[i];
  }
  return error.dot(costs * error);
}

quant::Grid MinMax(const Vector& weights, int bits) {
  return quant::MinMaxGrid({weights.data(), static_cast<size_t>(weights.size())}, bits);
}

class FindGridsTest : public ::testing::Test {
 protected:
  const Matrix channels_ = RandomMatrix(32, 21, 1);
  const Matrix factor_ = RandomMatrix(32, 32, 2);
  const Matrix costs_ = factor_ * factor_.transpose();
};

TEST_F(FindGridsTest, MinMaxIsThatOfEachRow) {
  const quant::RowGrids grids = FindGrids({GridChoice::kMinMax}, channels_, costs_, 3);
  for (Eigen::Index row = 0; row < channels_.cols(); ++row) {
    const quant::Grid expected = MinMax(channels_.col(row), 3);
    EXPECT_EQ(grids.scales[row], expected.scale);
    EXPECT_EQ(grids.zeros[row], static_cast<float>(expected.zero));
  }
}

TEST_F(FindGridsTest, ClippingIsTheBestOfTenFactorsByTheWholeCost) {
  const quant::RowGrids grids = FindGrids({GridChoice::kClipped}, channels_, costs_, 4);
  int clipped = 0;
  for (Eigen::Index row = 0; row < channels_.cols(); ++row) {
    const Vector weights = channels_.col(row);
    const float greatest = weights.cwiseAbs().maxCoeff();
    std::vector<double> all;
    for (int i = 0; i < 10; ++i) {
      const float limit = greatest * (1 - 0.05F * static_cast<float>(i));
      const Vector cut = weights.cwiseMin(limit).cwiseMax(-limit);
      all.push_back(Cost(weights, costs_.cast<double>(), MinMax(cut, 4), 4));
    }
    const auto least = std::min_element(all.begin(), all.end());
    clipped += least != all.begin() ? 1 : 0;
    const quant::Grid found{grids.scales[row], static_cast<int>(grids.zeros[row])};
    EXPECT_NEAR(Cost(weights, costs_.cast<double>(), found, 4), *least, 1e-4 * *least) << row;
  }
  EXPECT_GT(clipped, 0);
}

TEST_F(FindGridsTest, ADiagonalMayStandForItsMatrix) {
  const Matrix diagonal = costs_.diagonal();
  const Matrix matrix = costs_.diagonal().asDiagonal();
  for (const GridChoice choice : {GridChoice::kSearched, GridChoice::kClipped}) {
    const quant::RowGrids one = FindGrids({choice}, channels_, diagonal, 4);
    const quant::RowGrids other = FindGrids({choice}, channels_, matrix, 4);
    EXPECT_EQ(one.scales, other.scales);
    EXPECT_EQ(one.zeros, other.zeros);
  }
}

TEST_F(FindGridsTest, GridsAndCodesAreStoredWhereTheLayerKeepsThem) {
  quant::QuantizedLinear linear = quant::testing::RandomQuantizedLinear(24, 64, 4, 32, 1);
  const quant::RowGrids grids = FindGrids({GridChoice::kSearched}, channels_, costs_, 4);
  StoreGrids(grids, 1, 3, linear);
  const auto codes = NearestCodes(channels_.row(5), grids, 4);
  StoreCodes(codes, 37, 3, linear);
  for (Eigen::Index row = 0; row < 21; ++row) {
    const auto index = static_cast<size_t>(3 + row);
    EXPECT_EQ(HalfToFloat(linear.scales[index * 2 + 1]), grids.scales[row]);
    EXPECT_EQ(linear.zeros[index * 2 + 1], grids.zeros[row]);
    EXPECT_EQ(linear.codes[index * 64 + 37], codes[row]);
    // The channel comes back within half a step, or lies beyond the grid's end.
    const float value = (codes[row] - grids.zeros[row]) * grids.scales[row];
    if (codes[row] == 0 || codes[row] == 15) continue;
    EXPECT_LE(std::abs(value - channels_(5, row)), 0.501F * grids.scales[row]);
  }
}

}  // namespace
}  // namespace paroquant::method
