// The backward pass through the blocks of every family that has a feature of its own.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "paroquant/base/rng.h"
#include "paroquant/nn/block.h"
#include "paroquant/nn/held_linear.h"
#include "paroquant/runtime/language_model.h"
#include "tests/testing/paths.h"

namespace paroquant::runtime {
namespace {

constexpr int64_t kWindowLength = 20;  // longer than the goldens' windows
constexpr double kStep = 1e-3;
constexpr double kGradientTolerance = 2e-3;  // of central differences in single precision

Matrix RandomMatrix(int64_t rows, int64_t columns, uint64_t seed) {
  Rng rng(seed);
  Matrix matrix(rows, columns);
  for (float& value : matrix.reshaped()) value = static_cast<float>(2.0 * rng.Uniform() - 1.0);
  return matrix;
}

double Dot(const Matrix& a, const Matrix& b) {
  return a.cast<double>().cwiseProduct(b.cast<double>()).sum();
}

// The last block of a golden model, its weights held, and a linear function of its output.
class HeldBlock {
 public:
  explicit HeldBlock(const std::string& name)
      : model_(LanguageModel::Load(paroquant::testing::GoldenPath("models") / name)),
        layer_(model_.architecture().layers - 1),
        block_(model_.MakeBlock(layer_)),
        rope_(model_.Rope(0, kWindowLength)),
        input_(RandomMatrix(2 * kWindowLength, model_.architecture().hidden_size, 1)),
        direction_(RandomMatrix(input_.rows(), input_.cols(), 2)) {
    const auto linears = DescribeLinears(model_.architecture(), layer_);
    for (size_t i = 0; i < linears.size(); ++i) {
      const model::LinearInfo& info = linears[i];
      Matrix weight(info.out_features, info.in_features);
      model::DecodeFloats(model_.checkpoint().FloatTensor(info.name + ".weight",
                                                          {info.out_features, info.in_features}),
                          0, weight.size(), weight.data());
      auto held = std::make_unique<nn::HeldLinear>(nn::ChannelMajor(weight),
                                                   nn::ReadBias(model_.checkpoint(), info));
      held_.push_back(held.get());
      block_.ReplaceLinear(i, std::move(held));
    }
  }

  double Value(const Matrix& input) const {
    Matrix hidden = input;
    block_.Forward(batch_, rope_, hidden);
    return Dot(hidden, direction_);
  }

  // Sets `input` and `weights` to the gradients of Value.
  void Gradients(Matrix& input, std::vector<MatrixD>& weights) const {
    weights.clear();
    for (const nn::HeldLinear* linear : held_) {
      weights.push_back(MatrixD::Zero(linear->in_features(), linear->out_features()));
    }
    nn::PerLinear<MatrixD*> places;
    for (MatrixD& weight : weights) places.push_back(&weight);
    nn::HeldLinearsBackward backward(held_, places);
    nn::BlockActivations kept;
    Matrix hidden = input_;
    block_.ForwardKeeping(batch_, rope_, hidden, kept);
    input = direction_;
    block_.Backward(batch_, rope_, input_, kept, backward, input);
  }

  const Matrix& input() const { return input_; }
  const nn::PerLinear<nn::HeldLinear*>& held() const { return held_; }

 private:
  LanguageModel model_;
  int64_t layer_;
  nn::Block block_;
  nn::RopeTables rope_;
  nn::SequenceBatch batch_{.count = 2, .length = kWindowLength};
  Matrix input_;
  Matrix direction_;
  nn::PerLinear<nn::HeldLinear*> held_;
};

class FamilyGradientTest : public ::testing::TestWithParam<const char*> {};

INSTANTIATE_TEST_SUITE_P(Families, FamilyGradientTest,
                         ::testing::Values("gemma", "gemma2", "gemma3_text", "granite", "mixtral",
                                           "olmo2", "phi3", "phi3_partial_rotary", "qwen3_moe",
                                           "smollm3"),
                         [](const auto& name) { return std::string(name.param); });

TEST_P(FamilyGradientTest, AtTheInputIsThatOfCentralDifferences) {
  const HeldBlock block(GetParam());
  Matrix gradient;
  std::vector<MatrixD> weights;
  block.Gradients(gradient, weights);
  for (uint64_t seed = 10; seed < 14; ++seed) {
    const Matrix step = RandomMatrix(gradient.rows(), gradient.cols(), seed) * kStep;
    const double found = Dot(gradient, step);
    const double expected =
        (block.Value(block.input() + step) - block.Value(block.input() - step)) / 2;
    const double size = gradient.cast<double>().norm() * step.cast<double>().norm();
    EXPECT_NEAR(found, expected, kGradientTolerance * size);
  }
}

TEST_P(FamilyGradientTest, AtEachLinearIsThatOfCentralDifferences) {
  const HeldBlock block(GetParam());
  Matrix input;
  std::vector<MatrixD> gradients;
  block.Gradients(input, gradients);
  for (size_t i = 0; i < gradients.size(); ++i) {
    Matrix& weight = block.held()[i]->weight();
    const Matrix start = weight;
    const Matrix step = RandomMatrix(weight.rows(), weight.cols(), 20 + i) * kStep;
    weight = start + step;
    double expected = block.Value(block.input());
    weight = start - step;
    expected = (expected - block.Value(block.input())) / 2;
    weight = start;
    const double found = gradients[i].cwiseProduct(step.cast<double>()).sum();
    const double size = gradients[i].norm() * step.cast<double>().norm();
    EXPECT_GT(size, 0) << "linear " << i;
    EXPECT_NEAR(found, expected, kGradientTolerance * size) << "linear " << i;
  }
}

}  // namespace
}  // namespace paroquant::runtime
