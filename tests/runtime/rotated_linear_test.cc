#include "paroquant/runtime/rotated_linear.h"

#include <gtest/gtest.h>

#include <tuple>
#include <vector>

#include "paroquant/base/parallel.h"
#include "paroquant/quant/dequantize.h"
#include "paroquant/quant/packed_view.h"
#include "paroquant/quant/packing.h"
#include "tests/quant/fixtures.h"

namespace paroquant::runtime {
namespace {

// bits, N, K, group size
class RotatedLinearTest : public ::testing::TestWithParam<std::tuple<int, int64_t, int64_t, int>> {
};

// Few rows and many take different ways through the layer.
TEST_P(RotatedLinearTest, MultipliesByTheEffectiveWeight) {
  const auto [bits, out_features, in_features, group_size] = GetParam();
  const quant::QuantizedLinear linear =
      quant::testing::RandomQuantizedLinear(out_features, in_features, bits, group_size, 3);
  std::vector<float> bias(static_cast<size_t>(out_features));
  for (size_t i = 0; i < bias.size(); ++i) bias[i] = static_cast<float>(i);
  const RotatedLinear layer(quant::MakeView(quant::Pack(linear, "layer")), bias);
  const MatrixD weight = quant::EffectiveWeight(linear).cast<double>();
  for (const int64_t rows : {1, 2, 7, 8, 40}) {
    const Matrix input = quant::testing::RandomMatrix(rows, in_features, 4);
    Matrix output(rows, out_features);
    layer.Forward(input, output);
    MatrixD expected = input.cast<double>() * weight.transpose();
    for (int64_t n = 0; n < out_features; ++n) expected.col(n).array() += static_cast<double>(n);
    const double error = (output.cast<double>() - expected).norm() / expected.norm();
    EXPECT_LE(error, 2e-6) << rows << " rows";
  }
}

TEST_P(RotatedLinearTest, BringsChannelsIntoTheirOrder) {
  const auto [bits, out_features, in_features, group_size] = GetParam();
  quant::QuantizedLinear linear =
      quant::testing::RandomQuantizedLinear(out_features, in_features, bits, group_size, 7);
  const RotatedLinear in_order(quant::MakeView(quant::Pack(linear, "layer")), {});
  for (int64_t i = 0; i < in_features; ++i) {
    linear.order.push_back(static_cast<int32_t>((i + 3) % in_features));
  }
  ASSERT_EQ(quant::Problem(linear), "");
  const RotatedLinear layer(quant::MakeView(quant::Pack(linear, "layer")), {});
  for (const int64_t rows : {1, 40}) {
    const Matrix input = quant::testing::RandomMatrix(rows, in_features, 8);
    Matrix turned(rows, in_features);
    turned << input.rightCols(in_features - 3), input.leftCols(3);
    Matrix output(rows, out_features);
    Matrix expected(rows, out_features);
    layer.Forward(input, output);
    in_order.Forward(turned, expected);
    EXPECT_EQ(output, expected) << rows << " rows";
  }
}

TEST_P(RotatedLinearTest, ThreadCountChangesNoBit) {
  const auto [bits, out_features, in_features, group_size] = GetParam();
  const RotatedLinear layer(
      quant::MakeView(quant::Pack(
          quant::testing::RandomQuantizedLinear(out_features, in_features, bits, group_size, 5),
          "layer")),
      {});
  const Matrix input = quant::testing::RandomMatrix(1, in_features, 6);
  const auto forward = [&](int threads) {
    SetThreadCount(threads);
    Matrix output(1, layer.out_features());
    layer.Forward(input, output);
    SetThreadCount(AvailableCores());
    return output;
  };
  EXPECT_EQ(forward(1), forward(3));
}

// Few groups and many, columns of one block of sums and of two, and groups that are wide.
INSTANTIATE_TEST_SUITE_P(
    Layouts, RotatedLinearTest,
    ::testing::Values(std::tuple{4, 8, 256, 128}, std::tuple{4, 520, 256, 32},
                      std::tuple{4, 1288, 256, 128}, std::tuple{4, 8, 1184, 32},
                      std::tuple{4, 8456, 2176, 128}, std::tuple{2, 144, 256, 64},
                      std::tuple{3, 160, 256, 128}, std::tuple{8, 132, 256, 128},
                      std::tuple{4, 24, 512, 256}));

}  // namespace
}  // namespace paroquant::runtime
