#include "paroquant/runtime/language_model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "paroquant/base/error.h"
#include "paroquant/eval/perplexity.h"
#include "paroquant/io/json.h"
#include "paroquant/io/safetensors.h"
#include "tests/testing/golden_tensors.h"
#include "tests/testing/paths.h"

namespace paroquant::runtime {
namespace {

// The goldens' own float32 lies within 2e-5 of float64; see tests/goldens/README.md.
constexpr float kLogitTolerance = 2e-4F;
constexpr double kNllTolerance = 1e-5;
constexpr double kDecidedMargin = 1e-3;

struct Golden {
  io::SafetensorsFile tensors;
  io::Json facts;
  std::vector<int32_t> ids;
};

Golden LoadGolden(const std::filesystem::path& tensors, const std::filesystem::path& facts) {
  Golden golden{io::SafetensorsFile::Open(tensors), io::ReadJsonFile(facts), {}};
  for (const int64_t id : testing::GoldenValues<int64_t>(golden.tensors, "input_ids")) {
    golden.ids.push_back(static_cast<int32_t>(id));
  }
  return golden;
}

void ExpectNear(const Matrix& found, const Matrix& expected, const std::string& what) {
  ASSERT_EQ(found.rows(), expected.rows()) << what;
  ASSERT_EQ(found.cols(), expected.cols()) << what;
  EXPECT_LE((found - expected).cwiseAbs().maxCoeff(), kLogitTolerance) << what;
}

void ExpectNllAndTop1(const LanguageModel& model, const Golden& golden, const Matrix& logits) {
  const std::vector<eval::Window> windows = {{.tokens = golden.ids}};
  NoProgress progress;
  const auto result = eval::MeasurePerplexity(model, nullptr, windows, progress);
  EXPECT_NEAR(result.nll.mean, golden.facts.at("nll_float64").get<double>(), kNllTolerance);
  if (golden.facts.at("top1_smallest_margin").get<double>() < kDecidedMargin) return;
  for (Eigen::Index t = 0; t < logits.rows(); ++t) {
    Eigen::Index top = 0;
    logits.row(t).maxCoeff(&top);
    EXPECT_EQ(top, golden.facts.at("top1").at(static_cast<size_t>(t)).get<int64_t>());
  }
}

class GoldenModelTest : public ::testing::TestWithParam<const char*> {};

TEST_P(GoldenModelTest, HiddenStatesLogitsAndNllMatch) {
  const auto folder = testing::GoldenPath("models") / GetParam();
  const Golden golden = LoadGolden(folder / "golden.safetensors", folder / "golden.json");
  const auto model = LanguageModel::Load(folder);
  const auto length = static_cast<int64_t>(golden.ids.size());

  Matrix hidden = model.Embed(golden.ids);
  const nn::RopeTables rope = model.Rope(0, length);
  for (int64_t layer = 0; layer < model.architecture().layers; ++layer) {
    model.block(layer).Forward({.count = 1, .length = length}, rope, hidden);
    const std::string name = "hidden." + std::to_string(layer);
    ExpectNear(hidden, testing::GoldenMatrix<float>(golden.tensors, name), name);
  }
  const Matrix logits = model.Logits(hidden);
  ExpectNear(logits, testing::GoldenMatrix<float>(golden.tensors, "logits"), "logits");
  ExpectNllAndTop1(model, golden, logits);
}

TEST_P(GoldenModelTest, TokenByTokenWithACacheGivesTheSameLogits) {
  const auto folder = testing::GoldenPath("models") / GetParam();
  const Golden golden = LoadGolden(folder / "golden.safetensors", folder / "golden.json");
  const auto model = LanguageModel::Load(folder);
  const auto length = static_cast<int64_t>(golden.ids.size());
  if (model.architecture().rope.scaling == model::RopeScaling::kDynamic) {
    GTEST_SKIP() << "dynamic scaling depends on the length, so on how tokens are fed";
  }
  std::vector<nn::KeyValueCache> caches = model.MakeCaches(1, length);
  Matrix logits(length, model.architecture().vocab_size);
  for (int64_t t = 0; t < length; ++t) {
    Matrix hidden = model.Embed(std::span(golden.ids).subspan(static_cast<size_t>(t), 1));
    model.Forward({.count = 1, .length = 1, .first = t}, hidden, caches);
    logits.row(t) = model.Logits(hidden);
  }
  ExpectNear(logits, testing::GoldenMatrix<float>(golden.tensors, "logits"), "logits");
}

TEST_P(GoldenModelTest, SequencesOfABatchDoNotSeeEachOther) {
  const auto folder = testing::GoldenPath("models") / GetParam();
  const Golden golden = LoadGolden(folder / "golden.safetensors", folder / "golden.json");
  const auto model = LanguageModel::Load(folder);
  const auto length = static_cast<int64_t>(golden.ids.size());
  std::vector<int32_t> twice(golden.ids.rbegin(), golden.ids.rend());
  twice.insert(twice.end(), golden.ids.begin(), golden.ids.end());

  Matrix hidden = model.Embed(twice);
  model.Forward({.count = 2, .length = length}, hidden);
  ExpectNear(model.Logits(hidden.bottomRows(length)),
             testing::GoldenMatrix<float>(golden.tensors, "logits"), "logits");
}

INSTANTIATE_TEST_SUITE_P(
    Families, GoldenModelTest,
    ::testing::Values("gemma", "gemma2", "gemma3_text", "granite", "llama_bf16", "llama_fp32",
                      "llama_gqa_tied", "llama_rope_dynamic", "llama_rope_linear",
                      "llama_rope_llama3", "llama_sharded3", "llama_untied_bias", "mistral_swa",
                      "mixtral", "olmo2", "phi3", "phi3_partial_rotary", "qwen2", "qwen2_swa",
                      "qwen2_yarn", "qwen3", "qwen3_moe", "qwen3_untied", "smollm3"),
    [](const auto& name) { return std::string(name.param); });

class PackedModelTest : public ::testing::TestWithParam<const char*> {};

TEST_P(PackedModelTest, LogitsMatch) {
  const auto folder = testing::GoldenPath("packed");
  const std::string name = GetParam();
  const Golden golden =
      LoadGolden(folder / (name + ".golden.safetensors"), folder / (name + ".golden.json"));
  const auto model = LanguageModel::Load(folder / name);
  const Matrix logits = eval::WindowLogits(model, golden.ids);
  ExpectNear(logits, testing::GoldenMatrix<float>(golden.tensors, "logits"), "logits");
  ExpectNllAndTop1(model, golden, logits);
}

INSTANTIATE_TEST_SUITE_P(Formats, PackedModelTest,
                         ::testing::Values("source", "paroquant", "awq", "gptq",
                                           "compressed-tensors"));

TEST(LanguageModelTest, RefusesIdsOutsideTheVocabulary) {
  const auto model = LanguageModel::Load(testing::GoldenPath("models/qwen3"));
  for (const int32_t id : {-1, static_cast<int32_t>(model.architecture().vocab_size)}) {
    try {
      model.Embed(std::vector<int32_t>{id});
      FAIL() << id;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
    }
  }
}

}  // namespace
}  // namespace paroquant::runtime
