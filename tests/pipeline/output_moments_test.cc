#include "pipeline/output_moments.h"

#include <gtest/gtest.h>

#include <vector>

#include "paroquant/base/rng.h"
#include "paroquant/runtime/self_gradient.h"
#include "tests/testing/paths.h"

namespace paroquant::pipeline {
namespace {

constexpr uint64_t kSeed = 5;
constexpr double kDamping = 0.5;

std::vector<std::vector<int32_t>> SomeSequences() {
  Rng rng(3);
  std::vector<std::vector<int32_t>> sequences(3, std::vector<int32_t>(16));
  for (auto& sequence : sequences) {
    for (int32_t& id : sequence) id = static_cast<int32_t>(rng.Below(1000));
  }
  return sequences;
}

// The second moment of rows, in units of its mean diagonal, plus kDamping.
MatrixD UnitMoment(const ConstMatrixRef& rows) {
  const MatrixD wide = rows.cast<double>();
  MatrixD moment = wide.transpose() * wide;
  moment /= moment.diagonal().mean();
  moment.diagonal().array() += kDamping;
  return moment;
}

TEST(OutputMomentsTest, AreThoseOfTheGradientsAtTheBlock) {
  const auto model = runtime::LanguageModel::Load(paroquant::testing::DataPath("tiny-llama"));
  const paroquant::testing::TemporaryFolder folder;
  MatrixStore store(folder.path(), DefaultMemoryBudget());
  const auto sequences = SomeSequences();
  NoProgress progress;
  OutputMoments moments(model, sequences, kSeed, store, progress);
  ASSERT_EQ(moments.rows(), 3 * 16);
  const std::vector<StoredMatrix> gradients =
      runtime::SelfGradients(model, sequences, kSeed, store, progress);
  std::vector<int32_t> ids;
  for (const auto& sequence : sequences) ids.insert(ids.end(), sequence.begin(), sequence.end());
  const Matrix inputs = model.Embed(ids);

  const MatrixD expected = UnitMoment(gradients.front().view());
  const MatrixD at_output = moments.AtOutput(0, kDamping);
  EXPECT_LT((at_output - expected).norm(), 1e-5 * expected.norm());
  // What down_proj gives is added to the stream: the gradient there is the block's.
  const nn::PerLinear<MatrixD> at_linears = moments.AtLinears(0, inputs, kDamping);
  const MatrixD& at_down = at_linears.back();
  EXPECT_LT((at_down - expected).norm(), 1e-5 * expected.norm());
  EXPECT_EQ(moments.AtOutput(0, kDamping), at_output);  // the order of the calls does not matter
}

}  // namespace
}  // namespace paroquant::pipeline
