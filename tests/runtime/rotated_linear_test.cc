#include "paroquant/runtime/rotated_linear.h"

#include <gtest/gtest.h>

#include <tuple>
#include <vector>

#include "paroquant/quant/dequantize.h"
#include "paroquant/quant/packed_view.h"
#include "paroquant/quant/packing.h"
#include "tests/quant/fixtures.h"

namespace paroquant::runtime {
namespace {

// bits, N, group size
class RotatedLinearTest : public ::testing::TestWithParam<std::tuple<int, int64_t, int>> {};

// Few rows and many take different ways through the layer.
TEST_P(RotatedLinearTest, MultipliesByTheEffectiveWeight) {
  const auto [bits, out_features, group_size] = GetParam();
  const quant::QuantizedLinear linear =
      quant::testing::RandomQuantizedLinear(out_features, 256, bits, group_size, 3);
  std::vector<float> bias(static_cast<size_t>(out_features));
  for (size_t i = 0; i < bias.size(); ++i) bias[i] = static_cast<float>(i);
  const RotatedLinear layer(quant::MakeView(quant::Pack(linear, "layer")), bias);
  const MatrixD weight = quant::EffectiveWeight(linear).cast<double>();
  for (const int64_t rows : {1, 2, 7, 8, 40}) {
    const Matrix input = quant::testing::RandomMatrix(rows, 256, 4);
    Matrix output(rows, out_features);
    layer.Forward(input, output);
    MatrixD expected = input.cast<double>() * weight.transpose();
    for (int64_t n = 0; n < out_features; ++n) expected.col(n).array() += static_cast<double>(n);
    const double error = (output.cast<double>() - expected).norm() / expected.norm();
    EXPECT_LE(error, 2e-6) << rows << " rows";
  }
}

INSTANTIATE_TEST_SUITE_P(Layouts, RotatedLinearTest,
                         ::testing::Values(std::tuple{4, 8, 128}, std::tuple{4, 520, 32},
                                           std::tuple{4, 1288, 128}, std::tuple{2, 144, 64},
                                           std::tuple{3, 160, 128}, std::tuple{8, 132, 128}));

}  // namespace
}  // namespace paroquant::runtime
