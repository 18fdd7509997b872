#include "paroquant/nn/linear.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "paroquant/base/half.h"
#include "paroquant/base/parallel.h"
#include "paroquant/nn/block.h"
#include "tests/quant/fixtures.h"

namespace paroquant::nn {
namespace {

using io::DType;
using quant::testing::RandomMatrix;

// A weight as a file holds it, at an address that is aligned for nothing.
class StoredWeight {
 public:
  StoredWeight(const Matrix& weight, DType dtype) : value_(weight) {
    for (float& value : value_.reshaped<Eigen::RowMajor>()) Append(value, dtype);
    view_ = {.name = "weight",
             .dtype = dtype,
             .shape = {weight.rows(), weight.cols()},
             .bytes = std::span(bytes_).subspan(1),
             .file = {}};
  }

  const io::TensorView& view() const { return view_; }
  // What the stored bits mean.
  const Matrix& value() const { return value_; }

 private:
  void Append(float& value, DType dtype) {
    const size_t size = io::DTypeSize(dtype);
    bytes_.resize(bytes_.size() + size);
    std::byte* target = &bytes_[bytes_.size() - size];
    if (dtype == DType::kF32) {
      std::memcpy(target, &value, size);
      return;
    }
    const bool half = dtype == DType::kF16;
    const uint16_t bits = half ? FloatToHalf(value) : FloatToBFloat16(value);
    value = half ? HalfToFloat(bits) : BFloat16ToFloat(bits);
    std::memcpy(target, &bits, size);
  }

  Matrix value_;
  std::vector<std::byte> bytes_{1};
  io::TensorView view_;
};

struct LinearCase {
  DType dtype;
  int64_t rows;
  int64_t out;
  int64_t in;
};

class DenseLinearTest : public ::testing::TestWithParam<LinearCase> {};

// One row and many; output features and rows on both sides of what a task takes.
INSTANTIATE_TEST_SUITE_P(
    Shapes, DenseLinearTest,
    ::testing::Values(LinearCase{DType::kF16, 1, 300, 96}, LinearCase{DType::kBF16, 1, 128, 77},
                      LinearCase{DType::kF32, 1, 1, 1}, LinearCase{DType::kF16, 5, 1, 64},
                      LinearCase{DType::kBF16, 7, 129, 50}, LinearCase{DType::kF32, 3, 257, 33},
                      LinearCase{DType::kBF16, 600, 200, 40}, LinearCase{DType::kF16, 513, 127, 8},
                      LinearCase{DType::kF32, 0, 12, 8}));

TEST_P(DenseLinearTest, MultipliesByTheDefinition) {
  const LinearCase& c = GetParam();
  const StoredWeight weight(RandomMatrix(c.out, c.in, 1), c.dtype);
  const Matrix input = RandomMatrix(c.rows, c.in, 2);
  const Matrix bias = RandomMatrix(1, c.out, 3);
  const MatrixD product = input.cast<double>() * weight.value().cast<double>().transpose();
  const MatrixD with_bias = product.rowwise() + bias.cast<double>().row(0);

  for (const bool biased : {false, true}) {
    const DenseLinear linear(
        model::PlainWeight(weight.view()),
        biased ? std::vector<float>(bias.data(), bias.data() + c.out) : std::vector<float>{});
    EXPECT_EQ(linear.out_features(), c.out);
    EXPECT_EQ(linear.in_features(), c.in);
    Matrix output = Matrix::Constant(c.rows, c.out, NAN);
    linear.Forward(input, output);
    EXPECT_TRUE(output.cast<double>().isApprox(biased ? with_bias : product, 1e-6)) << biased;
  }
}

TEST_P(DenseLinearTest, ThreadCountChangesNoBit) {
  const LinearCase& c = GetParam();
  const StoredWeight weight(RandomMatrix(c.out, c.in, 1), c.dtype);
  const DenseLinear linear(model::PlainWeight(weight.view()), {});
  const Matrix input = RandomMatrix(c.rows, c.in, 2);
  const auto forward = [&](int threads) {
    SetThreadCount(threads);
    Matrix output(c.rows, c.out);
    linear.Forward(input, output);
    SetThreadCount(AvailableCores());
    return output;
  };
  EXPECT_TRUE(forward(1) == forward(3));
}

TEST(DenseLinearTest, WorksOnPartsOfAMatrix) {
  const StoredWeight weight(RandomMatrix(150, 48, 1), DType::kF16);
  const Matrix wide = RandomMatrix(9, 100, 2);
  const Matrix input = wide.middleCols(10, 48);
  Matrix expected(9, 150);
  DenseLinear(model::PlainWeight(weight.view()), {}).Forward(input, expected);
  Matrix result = Matrix::Zero(9, 200);
  DenseLinear(model::PlainWeight(weight.view()), {})
      .Forward(wide.middleCols(10, 48), result.middleCols(20, 150));
  EXPECT_TRUE(result.middleCols(20, 150).isApprox(expected, 1e-6F));
  EXPECT_TRUE(result.leftCols(20).isZero(0) && result.rightCols(30).isZero(0));
}

TEST(KeyValueCacheTest, KeepsEachSequencesRowsInTheirOrder) {
  const Matrix keys = RandomMatrix(2 * 5, 6, 1);  // two sequences of five tokens
  const Matrix values = RandomMatrix(2 * 5, 6, 2);
  KeyValueCache cache(2, 5, 6);
  for (const auto& [first, length] : {std::pair(0, 3), {3, 1}, {4, 1}}) {
    Matrix new_keys(2 * length, 6);
    Matrix new_values(2 * length, 6);
    for (int64_t s = 0; s < 2; ++s) {
      new_keys.middleRows(s * length, length) = keys.middleRows(5 * s + first, length);
      new_values.middleRows(s * length, length) = values.middleRows(5 * s + first, length);
    }
    cache.Append({.count = 2, .length = length, .first = first}, new_keys, new_values);
    for (int64_t s = 0; s < 2; ++s) {
      EXPECT_TRUE(cache.Keys(s, first + length) == keys.middleRows(5 * s, first + length));
      EXPECT_TRUE(cache.Values(s, first + length) == values.middleRows(5 * s, first + length));
    }
  }
}

}  // namespace
}  // namespace paroquant::nn
