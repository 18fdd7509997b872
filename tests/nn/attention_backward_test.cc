#include <gtest/gtest.h>

#include <functional>

#include "paroquant/nn/attention.h"
#include "tests/quant/fixtures.h"
#include "tests/testing/gradient_check.h"

namespace paroquant::nn {
namespace {

using paroquant::testing::CentralDifferences;
using paroquant::testing::GradientError;
using quant::testing::RandomMatrix;

// Float32 forward passes, differenced over a step that keeps both their rounding and the third
// derivative below this.
constexpr double kAttentionTolerance = 2e-3;
constexpr double kDifferenceStep = 2e-2;

struct BackwardInputs {
  Matrix queries, keys, values;
};

// sum(direction * output)
double Loss(const AttentionShape& shape, const BackwardInputs& inputs, const Matrix& direction) {
  Matrix output(inputs.queries.rows(), inputs.queries.cols());
  std::vector<AttentionSequence> sequences = {
      {.queries = inputs.queries, .keys = inputs.keys, .values = inputs.values, .output = output}};
  CausalAttention(shape, 0, sequences);
  return output.cast<double>().cwiseProduct(direction.cast<double>()).sum();
}

BackwardInputs BackwardOf(const AttentionShape& shape, BackwardInputs& inputs,
                          const Matrix& direction) {
  BackwardInputs result = inputs;  // of the right sizes
  Matrix unused(0, 0);
  const std::vector<AttentionSequence> sequences = {
      {.queries = inputs.queries, .keys = inputs.keys, .values = inputs.values, .output = unused}};
  std::vector<AttentionGradients> gradients = {{.output = direction,
                                                .queries = result.queries,
                                                .keys = result.keys,
                                                .values = result.values}};
  CausalAttentionBackward(shape, sequences, gradients);
  return result;
}

class AttentionBackwardTest : public ::testing::TestWithParam<AttentionShape> {};

// No window, one within a tile of queries, one as long as the sequence.
INSTANTIATE_TEST_SUITE_P(Shapes, AttentionBackwardTest,
                         ::testing::Values(AttentionShape{2, 1, 4, 0}, AttentionShape{2, 1, 4, 5},
                                           AttentionShape{2, 1, 4, 70},
                                           AttentionShape{2, 1, 4, 5, 0.8F, 0.6F}));

TEST_P(AttentionBackwardTest, AgreesWithCentralDifferencesAcrossTiles) {
  const AttentionShape& shape = GetParam();
  constexpr int64_t kLength = 70;
  BackwardInputs inputs{RandomMatrix(kLength, 8, 1), RandomMatrix(kLength, 4, 2),
                        RandomMatrix(kLength, 4, 3)};
  const Matrix direction = RandomMatrix(kLength, 8, 4);
  const BackwardInputs found = BackwardOf(shape, inputs, direction);
  const auto differences = [&](Matrix BackwardInputs::*part) {
    const std::function<double(const Matrix&)> loss = [&](const Matrix& x) {
      BackwardInputs moved = inputs;
      moved.*part = x;
      return Loss(shape, moved, direction);
    };
    return CentralDifferences<float>(loss, inputs.*part, kDifferenceStep);
  };
  EXPECT_LE(GradientError<float>(found.queries, differences(&BackwardInputs::queries)),
            kAttentionTolerance);
  EXPECT_LE(GradientError<float>(found.keys, differences(&BackwardInputs::keys)),
            kAttentionTolerance);
  EXPECT_LE(GradientError<float>(found.values, differences(&BackwardInputs::values)),
            kAttentionTolerance);
}

}  // namespace
}  // namespace paroquant::nn
