#include <gtest/gtest.h>

#include <cmath>

#include "paroquant/base/parallel.h"
#include "paroquant/nn/block.h"
#include "paroquant/nn/held_linear.h"
#include "tests/nn/fixtures.h"
#include "tests/testing/gradient_check.h"

namespace paroquant::nn {
namespace {

using paroquant::testing::GradientError;
using testing::GoldenBlock;

// What the goldens promise of an exact gradient in float32.
constexpr double kBlockTolerance = 1e-4;

// The derivative of the goldens' loss, SmoothL1 (beta 1) averaged over all entries.
Matrix LossGradient(const Matrix& output, const Matrix& target) {
  return (output - target).cwiseMax(-1.0F).cwiseMin(1.0F) / static_cast<float>(output.size());
}

struct Gradients {
  Matrix output;
  Matrix input;
  PerLinear<MatrixD> weights;  // [K, N]
};

Gradients RunGolden(const GoldenBlock& golden) {
  PerLinear<HeldLinear*> linears;
  const Block block = golden.Make(linears);
  const Matrix x = golden.Get("x");
  const SequenceBatch batch{.count = 1, .length = x.rows()};
  const RopeTables rope = golden.Rope(x.rows());

  Gradients result{.output = x, .input = {}, .weights = {}};
  BlockActivations kept;
  block.ForwardKeeping(batch, rope, result.output, kept);
  for (const HeldLinear* linear : linears) {
    result.weights.push_back(MatrixD::Zero(linear->in_features(), linear->out_features()));
  }
  PerLinear<MatrixD*> gradients;
  for (MatrixD& weight : result.weights) gradients.push_back(&weight);
  HeldLinearsBackward backward(linears, gradients);
  result.input = LossGradient(result.output, golden.Get("target"));
  block.Backward(batch, rope, x, kept, backward, result.input);
  return result;
}

class BlockGoldenTest : public ::testing::TestWithParam<const char*> {};

INSTANTIATE_TEST_SUITE_P(Families, BlockGoldenTest,
                         ::testing::Values("llama_block", "qwen3_block"));

TEST_P(BlockGoldenTest, GradientsAreThoseOfTheReference) {
  const GoldenBlock golden(GetParam());
  const Gradients found = RunGolden(golden);
  EXPECT_LE(GradientError<float>(found.output, golden.Get("output")), 1e-5);
  EXPECT_LE(GradientError<float>(found.input, golden.Get("grad.x")), kBlockTolerance);
  for (size_t i = 0; i < found.weights.size(); ++i) {
    const std::string name = "grad." + golden.Suffixes()[i] + ".weight";
    const Matrix weight = found.weights[i].transpose().cast<float>();
    EXPECT_LE(GradientError<float>(weight, golden.Get(name)), kBlockTolerance) << name;
  }
}

TEST_P(BlockGoldenTest, KeepingChangesNothingInTheForwardPass) {
  const GoldenBlock golden(GetParam());
  PerLinear<HeldLinear*> linears;
  const Block block = golden.Make(linears);
  const SequenceBatch batch{.count = 2, .length = 12};
  const RopeTables rope = golden.Rope(12);
  Matrix plain = golden.Get("x");
  Matrix keeping = plain;
  block.Forward(batch, rope, plain);
  BlockActivations kept;
  block.ForwardKeeping(batch, rope, keeping, kept);
  EXPECT_TRUE(plain == keeping);
}

TEST_P(BlockGoldenTest, StoppingBeforeTheInputLeavesTheWeightsGradientsAlone) {
  const GoldenBlock golden(GetParam());
  const Gradients whole = RunGolden(golden);
  PerLinear<HeldLinear*> linears;
  const Block block = golden.Make(linears);
  Matrix hidden = golden.Get("x");
  const SequenceBatch batch{.count = 1, .length = hidden.rows()};
  const RopeTables rope = golden.Rope(batch.length);
  BlockActivations kept;
  block.ForwardKeeping(batch, rope, hidden, kept);
  MatrixD queries = MatrixD::Zero(linears[0]->in_features(), linears[0]->out_features());
  PerLinear<MatrixD*> gradients(linears.size());
  gradients[0] = &queries;
  HeldLinearsBackward backward(linears, gradients);
  Matrix gradient = LossGradient(hidden, golden.Get("target"));
  block.BackwardToLinears(batch, rope, kept, backward, gradient);
  EXPECT_TRUE(queries == whole.weights[0]);
}

TEST(BlockBackwardTest, ThreadCountChangesNoBit) {
  const GoldenBlock golden("qwen3_block");
  SetThreadCount(1);
  const Gradients one = RunGolden(golden);
  SetThreadCount(5);
  const Gradients five = RunGolden(golden);
  SetThreadCount(AvailableCores());
  EXPECT_TRUE(one.input == five.input);
  EXPECT_EQ(one.weights, five.weights);
}

}  // namespace
}  // namespace paroquant::nn
