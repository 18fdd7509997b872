#include "paroquant/runtime/self_gradient.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <vector>

#include "paroquant/base/parallel.h"
#include "paroquant/base/rng.h"
#include "tests/testing/gradient_check.h"
#include "tests/testing/paths.h"

namespace paroquant::runtime {
namespace {

using paroquant::testing::CentralDifferences;
using paroquant::testing::GradientError;

constexpr int64_t kSequenceLength = 5;

std::vector<std::vector<int32_t>> SomeSequences() {
  Rng rng(3);
  std::vector<std::vector<int32_t>> sequences(2);
  for (auto& sequence : sequences) {
    for (int64_t t = 0; t < kSequenceLength; ++t)
      sequence.push_back(static_cast<int32_t>(rng.Below(100)));
  }
  return sequences;
}

// Negative log likelihood of `tokens`, given the output [sequences * length, hidden] of `layer`.
double Nll(const LanguageModel& model, int64_t layer, Matrix hidden,
           const std::vector<int32_t>& tokens) {
  const nn::RopeTables rope = model.Rope(0, kSequenceLength);
  const nn::SequenceBatch batch{.count = hidden.rows() / kSequenceLength,
                                .length = kSequenceLength};
  for (int64_t l = layer + 1; l < model.architecture().layers; ++l) {
    model.block(l).Forward(batch, rope, hidden);
  }
  const MatrixD logits = model.Logits(hidden).cast<double>();
  double sum = 0;
  for (int64_t row = 0; row < logits.rows(); ++row) {
    sum += std::log(logits.row(row).array().exp().sum()) -
           logits(row, tokens[static_cast<size_t>(row)]);
  }
  return sum;
}

// The output of the model's first blocks up to `layer`.
Matrix HiddenAfter(const LanguageModel& model, int64_t layer) {
  std::vector<int32_t> ids;
  for (const auto& sequence : SomeSequences())
    ids.insert(ids.end(), sequence.begin(), sequence.end());
  Matrix hidden = model.Embed(ids);
  const nn::RopeTables rope = model.Rope(0, kSequenceLength);
  for (int64_t l = 0; l <= layer; ++l) {
    model.block(l).Forward({.count = 2, .length = kSequenceLength}, rope, hidden);
  }
  return hidden;
}

// Which token was drawn at `row`: the one whose likelihood falls most along the gradient at the
// last block's output. There is one for which the gradient is exactly right, see below.
int32_t DrawnToken(const LanguageModel& model, const Matrix& last, const Matrix& gradient,
                   int64_t row) {
  const Matrix at = model.Logits(last.middleRows(row, 1));
  const Matrix moved = model.Logits(last.middleRows(row, 1) + 0.01F * gradient.row(row));
  const auto log_normalizer = [](const Matrix& logits) {
    return std::log(logits.array().exp().sum());
  };
  Matrix nll = at - moved;
  nll.array() += log_normalizer(moved) - log_normalizer(at);
  Eigen::Index token = 0;
  nll.row(0).maxCoeff(&token);
  return static_cast<int32_t>(token);
}

// Expects as many steps as were announced.
class CountedProgress : public NoProgress {
 public:
  void Start(const std::string& /*phase*/, int64_t total) override { left_ = total; }
  void Advance(int64_t steps, const std::string& /*note*/) override {
    EXPECT_GE(left_, steps);
    left_ -= steps;
  }
  void Finish() override { finished_ = true; }
  bool finished() const { return finished_ && left_ == 0; }

 private:
  int64_t left_ = 0;
  bool finished_ = false;
};

std::vector<Matrix> Gradients(const LanguageModel& model, uint64_t seed) {
  MatrixStore store(".", DefaultMemoryBudget());
  NoProgress progress;
  std::vector<Matrix> gradients;
  for (StoredMatrix& gradient : SelfGradients(model, SomeSequences(), seed, store, progress)) {
    gradients.emplace_back(gradient.view());
  }
  return gradients;
}

TEST(SelfGradientProgressTest, AllPassesAreCounted) {
  const auto model =
      LanguageModel::Load(paroquant::testing::GoldenPath("models") / "llama_gqa_tied");
  MatrixStore store(".", DefaultMemoryBudget());
  CountedProgress progress;
  const std::vector<std::vector<int32_t>> sequences(kTokensPerBackwardPass / kSequenceLength + 3,
                                                    std::vector<int32_t>(kSequenceLength, 5));
  SelfGradients(model, sequences, 7, store, progress);
  EXPECT_TRUE(progress.finished());
}

class SelfGradientTest : public ::testing::TestWithParam<const char*> {};

INSTANTIATE_TEST_SUITE_P(Models, SelfGradientTest,
                         ::testing::Values("llama_gqa_tied", "qwen3", "mistral_swa",
                                           "llama_untied_bias"));

TEST_P(SelfGradientTest, AgreesWithCentralDifferencesAtEveryBlock) {
  const auto model = LanguageModel::Load(paroquant::testing::GoldenPath("models") / GetParam());
  const std::vector<Matrix> gradients = Gradients(model, 7);
  const int64_t layers = model.architecture().layers;
  ASSERT_EQ(static_cast<int64_t>(gradients.size()), layers);
  const Matrix last = HiddenAfter(model, layers - 1);
  std::vector<int32_t> tokens;
  for (int64_t row = 0; row < last.rows(); ++row) {
    tokens.push_back(DrawnToken(model, last, gradients.back(), row));
  }
  for (int64_t layer = 0; layer < layers; ++layer) {
    const std::function<double(const Matrix&)> loss = [&](const Matrix& hidden) {
      return Nll(model, layer, hidden, tokens);
    };
    EXPECT_LE(
        GradientError<float>(gradients[static_cast<size_t>(layer)],
                             CentralDifferences<float>(loss, HiddenAfter(model, layer), 1e-2)),
        5e-3)
        << layer;
  }
}

TEST(SelfGradientTest, DependsOnTheSeedAndNotOnThreads) {
  const auto model = LanguageModel::Load(paroquant::testing::GoldenPath("models") / "qwen3");
  const auto gradients = [&](int threads, uint64_t seed) {
    SetThreadCount(threads);
    std::vector<Matrix> result = Gradients(model, seed);
    SetThreadCount(AvailableCores());
    return result;
  };
  const std::vector<Matrix> one = gradients(1, 7);
  EXPECT_TRUE(one.front() == gradients(5, 7).front());
  EXPECT_FALSE(one.front() == gradients(5, 8).front());
}

}  // namespace
}  // namespace paroquant::runtime
