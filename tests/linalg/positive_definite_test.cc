#include "linalg/positive_definite.h"

#include <gtest/gtest.h>

#include <utility>

#include "linalg/double_product.h"
#include "paroquant/base/parallel.h"
#include "tests/quant/fixtures.h"

namespace paroquant::linalg {
namespace {

using quant::testing::RandomMatrix;

MatrixD RandomDoubles(int64_t rows, int64_t columns, uint64_t seed) {
  return RandomMatrix(rows, columns, seed).cast<double>() +
         1e-9 * RandomMatrix(rows, columns, seed + 1).cast<double>();
}

MatrixD PositiveDefinite(int64_t size, uint64_t seed) {
  const MatrixD rows = RandomDoubles(size + 20, size, seed);
  return rows.transpose() * rows + MatrixD::Identity(size, size);
}

// One number, part of a block, whole blocks with and without a rest, and of a tile.
constexpr int64_t kSizes[] = {1, 50, 192, 193, 300, 576, 601};

TEST(PositiveDefiniteTest, FactorsGiveTheMatrix) {
  for (const int64_t size : kSizes) {
    const MatrixD matrix = PositiveDefinite(size, 1);
    MatrixD lower = matrix.triangularView<Eigen::Lower>();  // the rest is not read
    FactorLower(lower);
    const MatrixD factor = lower.triangularView<Eigen::Lower>();
    EXPECT_TRUE((factor * factor.transpose()).isApprox(matrix, 1e-14 * (10.0 + size))) << size;
  }
}

TEST(PositiveDefiniteTest, SolvedRowsTimesTheMatrixAreTheRows) {
  for (const int64_t size : kSizes) {
    const MatrixD matrix = PositiveDefinite(size, 2);
    MatrixD lower = matrix;
    FactorLower(lower);
    for (const int64_t count : {1, 70, 200}) {
      const MatrixD rows = RandomDoubles(count, size, 3);
      MatrixD solved = rows;
      SolveRows(lower, solved);
      EXPECT_TRUE((solved * matrix).isApprox(rows, 1e-10)) << size << " " << count;
    }
  }
}

TEST(PositiveDefiniteTest, ThreadCountChangesNoBit) {
  const MatrixD matrix = PositiveDefinite(500, 4);
  const auto solve = [&](int threads) {
    SetThreadCount(threads);
    MatrixD lower = matrix;
    FactorLower(lower);
    MatrixD rows = RandomDoubles(130, 500, 5);
    SolveRows(lower, rows);
    SetThreadCount(AvailableCores());
    return rows;
  };
  EXPECT_TRUE(solve(1) == solve(3));
}

TEST(SubtrahendTest, PartsAreTheSameToTheBit) {
  const MatrixD a = RandomDoubles(41, 70, 9);
  const MatrixD b = RandomDoubles(70, 37, 10);
  const MatrixD before = RandomDoubles(41, 37, 11);
  const Subtrahend subtrahend(a);
  MatrixD whole = before;
  subtrahend.Subtract(0, b, whole);
  MatrixD parts = before;
  for (const auto& [column, columns] : {std::pair{0, 5}, {5, 20}, {25, 12}}) {
    for (const auto& [row, rows] : {std::pair{0, 12}, {12, 24}, {36, 5}}) {
      subtrahend.Subtract(row, b.middleCols(column, columns),
                          parts.block(row, column, rows, columns));
    }
  }
  EXPECT_TRUE(parts == whole);
}

TEST(SubtrahendTest, TakesProductsOutOfAnyPart) {
  for (const int64_t depth : {1, 5, 64}) {
    const MatrixD a = RandomDoubles(41, depth, 6);
    const Subtrahend subtrahend(a);
    for (const int64_t columns : {1, 16, 37}) {
      const MatrixD b = RandomDoubles(depth, columns, 7);
      for (const int64_t first : {0, 12, 36}) {
        for (const int64_t rows : {1, 5, 29}) {
          if (first + rows > a.rows()) continue;
          const MatrixD before = RandomDoubles(rows + 1, columns + 3, 8);
          MatrixD expected = before;
          expected.topLeftCorner(rows, columns) -= a.middleRows(first, rows) * b;
          MatrixD found = before;
          subtrahend.Subtract(first, b, found.topLeftCorner(rows, columns));
          EXPECT_TRUE(found.isApprox(expected, 1e-14));
          MatrixD again = before;
          subtrahend.SubtractTransposed(first, b.transpose().eval(),
                                        again.topLeftCorner(rows, columns));
          EXPECT_TRUE(found == again);
          found.topLeftCorner(rows, columns) = before.topLeftCorner(rows, columns);
          EXPECT_TRUE(found == before);  // nothing beside
        }
      }
    }
  }
}

}  // namespace
}  // namespace paroquant::linalg
