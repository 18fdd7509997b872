// Every family through every recipe, on text sampled from the models themselves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "paroquant/eval/perplexity.h"
#include "paroquant/format/packed_format.h"
#include "paroquant/pipeline/convert.h"
#include "paroquant/pipeline/engine_rules.h"
#include "paroquant/pipeline/quantize.h"
#include "paroquant/pipeline/verify.h"
#include "paroquant/runtime/language_model.h"
#include "paroquant/runtime/sampler.h"
#include "tests/testing/edited_model.h"
#include "tests/testing/paths.h"

namespace paroquant::pipeline {
namespace {

using paroquant::testing::EditableTensor;
using paroquant::testing::GoldenPath;
using paroquant::testing::TemporaryFolder;
using paroquant::testing::WriteEditedModel;
using ::testing::Contains;
using ::testing::Each;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int64_t kSequences = 16;
constexpr int64_t kLength = 48;

QuantizeOptions Options(const std::filesystem::path& model, const std::filesystem::path& out,
                        const std::string& recipe) {
  QuantizeOptions options{.model = model, .out = out, .recipe = method::LoadRecipe(recipe)};
  options.recipe.calibration_sequences = kSequences;
  options.recipe.sequence_length = kLength;
  return options;
}

// KL divergence from `source` on its own text.
double Divergence(const std::filesystem::path& source, const std::filesystem::path& out) {
  const auto original = runtime::LanguageModel::Load(source);
  const auto quantized = runtime::LanguageModel::Load(out);
  NoProgress progress;
  std::vector<eval::Window> windows;
  for (auto& tokens : runtime::SampleSequences(original, 8, kLength, /*seed=*/99, progress)) {
    windows.push_back({.tokens = std::move(tokens)});
  }
  return eval::MeasurePerplexity(quantized, &original, windows, progress)
      .comparison->kl_divergence.mean;
}

// Codes and the 16-bit weights that they stand for are the same model.
void ExpectPlainTwin(const std::filesystem::path& packed, const std::filesystem::path& plain) {
  NoProgress progress;
  Convert({.model = packed, .out = plain, .format = format::FormatKind::kDense}, progress);
  const auto model = runtime::LanguageModel::Load(packed);
  std::vector<eval::Window> windows;
  for (auto& tokens : runtime::SampleSequences(model, 32, kLength, /*seed=*/99, progress)) {
    windows.push_back({.tokens = std::move(tokens)});
  }
  const auto twin = runtime::LanguageModel::Load(plain);
  const auto nll = [&](const runtime::LanguageModel& of) {
    return eval::MeasurePerplexity(of, nullptr, windows, progress).nll.mean;
  };
  EXPECT_NEAR(nll(model), nll(twin), 1e-4);
}

class QuantizeFamiliesTest : public ::testing::TestWithParam<const char*> {
 protected:
  std::filesystem::path source() const { return GoldenPath("models") / GetParam(); }

  // Quantizes, verifies, and returns the divergence.
  double Run(const std::string& recipe) {
    const std::filesystem::path out = folder_.path() / recipe;
    NoProgress progress;
    Quantize(Options(source(), out, recipe), progress);
    EXPECT_THAT(Verify(out, source(), progress), IsEmpty()) << recipe;
    return Divergence(source(), out);
  }

  TemporaryFolder folder_;
};

INSTANTIATE_TEST_SUITE_P(Families, QuantizeFamiliesTest,
                         ::testing::Values("gemma", "gemma2", "gemma3_text", "granite", "mixtral",
                                           "olmo2", "phi3", "phi3_partial_rotary", "qwen2", "qwen3",
                                           "qwen3_moe", "smollm3"),
                         [](const auto& name) { return std::string(name.param); });

TEST_P(QuantizeFamiliesTest, EveryRecipeVerifiesAndFastEvaluatesLikeItsPlainTwin) {
  const double nearest = Run("rtn");
  EXPECT_LT(Run("gptq"), 1.3 * nearest);  // little to gain on random weights
  EXPECT_LT(Run("awq"), 1.3 * nearest);
  EXPECT_LT(Run("fast"), 0.7 * nearest);
  SCOPED_TRACE("the plain twin of fast");
  ExpectPlainTwin(folder_.path() / "fast", folder_.path() / "plain");
  EXPECT_LT(Run("block"), 0.7 * nearest);
}

TEST(QuantizeSymmetricTest, NoRecipeMovesTheZeroPoint) {
  const TemporaryFolder folder;
  const std::filesystem::path source = GoldenPath("models/llama_untied_bias");
  NoProgress progress;
  for (const std::string& recipe : method::ShippedRecipes()) {
    const std::filesystem::path out = folder.path() / recipe;
    QuantizeOptions options = Options(source, out, recipe);
    options.recipe.layer.symmetric = true;
    Quantize(options, progress);
    EXPECT_THAT(Verify(out, source, progress), IsEmpty()) << recipe;
    EXPECT_TRUE(FactsOf(model::Checkpoint::Open(out)).symmetric) << recipe;
  }
}

// The places of `layers` whose module's name holds `part`.
std::vector<LayerReport> Find(const QuantizeSummary& summary, const std::string& part) {
  std::vector<LayerReport> found;
  std::ranges::copy_if(summary.layers, std::back_inserter(found), [&](const LayerReport& report) {
    return report.plan.info.name.find(part) != std::string::npos;
  });
  return found;
}

TEST(QuantizeExpertsTest, TokensOfEachExpertAreCounted) {
  const TemporaryFolder folder;
  NoProgress progress;
  const QuantizeSummary summary =
      Quantize(Options(GoldenPath("models/mixtral"), folder.path() / "out", "fast"), progress);
  int64_t tokens = 0;
  for (const LayerReport& report : Find(summary, "layers.0.block_sparse_moe.experts")) {
    if (report.plan.info.role != model::LinearRole::kGate) continue;
    ASSERT_TRUE(report.routed_tokens.has_value());
    EXPECT_GT(*report.routed_tokens, 0);
    tokens += *report.routed_tokens;
  }
  EXPECT_EQ(tokens, 2 * kSequences * kLength);  // two experts see each token
}

TEST(QuantizeExpertsTest, EveryExpertIsCalibrated) {
  for (const char* model : {"mixtral", "qwen3_moe"}) {
    const TemporaryFolder folder;
    NoProgress progress;
    const QuantizeSummary summary =
        Quantize(Options(GoldenPath("models") / model, folder.path() / "out", "fast"), progress);
    for (const LayerReport& report : Find(summary, ".experts.")) {
      if (!report.plan.quantized) continue;
      SCOPED_TRACE(report.plan.info.name);
      ASSERT_TRUE(report.routed_tokens.has_value());
      if (*report.routed_tokens < report.plan.info.in_features) {
        EXPECT_THAT(report.notes, Contains(HasSubstr("blended")));
      }
      ASSERT_TRUE(report.relative_output_error.has_value());
      EXPECT_GT(*report.relative_output_error, 0);
      EXPECT_LT(*report.relative_output_error, *report.relative_output_error_rtn);
    }
  }
}

TEST(QuantizeExpertsTest, AnExpertWithoutTokensIsCalibratedOnOthers) {
  const TemporaryFolder folder;
  const std::filesystem::path source = folder.path() / "model";
  // A router without preferences takes the first two experts.
  WriteEditedModel(GoldenPath("models/mixtral"), source, [](std::vector<EditableTensor>& tensors) {
    for (EditableTensor& tensor : tensors) {
      if (!tensor.name.ends_with("block_sparse_moe.gate.weight")) continue;
      std::ranges::fill(tensor.bytes, std::byte{0});
    }
  });
  NoProgress progress;
  const QuantizeSummary summary =
      Quantize(Options(source, folder.path() / "out", "fast"), progress);
  for (const LayerReport& report : Find(summary, "experts.3.")) {
    if (!report.plan.quantized) continue;
    EXPECT_EQ(report.routed_tokens, 0);
    EXPECT_THAT(report.notes, Contains(HasSubstr("blended")));
    ASSERT_TRUE(report.relative_output_error.has_value());
    EXPECT_LT(*report.relative_output_error, *report.relative_output_error_rtn);
  }
  EXPECT_THAT(Verify(folder.path() / "out", source, progress), IsEmpty());
}

// The rotation tensors of each packed expert's linear whose name ends so.
std::vector<std::string> Rotations(const std::filesystem::path& folder, const std::string& end) {
  const auto checkpoint = model::Checkpoint::Open(folder);
  const format::PackedLayers packed(checkpoint);
  std::vector<std::string> rotations;
  for (const model::LinearInfo& info : DescribeLinears(checkpoint.architecture(), 1)) {
    if (info.expert < 0 || !info.name.ends_with(end)) continue;
    const quant::PackedView view = packed.Read(info);
    std::string& bytes = rotations.emplace_back();
    const auto append = [&](const auto& values) {
      bytes.append(reinterpret_cast<const char*>(values.data()),
                   values.size() * sizeof(values.front()));
    };
    append(view.rotation.theta);
    append(view.rotation.pairs);
    append(view.channel_scales);
  }
  return rotations;
}

TEST(QuantizeExpertsTest, ExpertsShareTheirRotationsWhateverTheRecipe) {
  const TemporaryFolder folder;
  NoProgress progress;
  for (const char* recipe : {"rtn", "awq", "fast", "block", "paper"}) {
    const std::filesystem::path out = folder.path() / recipe;
    Quantize(Options(GoldenPath("models/qwen3_moe"), out, recipe), progress);
    const auto gates = Rotations(out, "gate_proj");
    ASSERT_EQ(gates.size(), 4U);
    EXPECT_THAT(gates, Each(Eq(gates.front()))) << recipe;
    EXPECT_EQ(Rotations(out, "up_proj"), gates) << recipe;
    // Stored once, under the names that engines look for.
    const auto checkpoint = model::Checkpoint::Open(out);
    for (const char* shared :
         {"gate_up_weight_theta", "gate_up_weight_pairs", "gate_up_weight_channel_scales"}) {
      EXPECT_NE(checkpoint.tensors().Find(std::string("model.layers.1.mlp.experts.") + shared),
                nullptr)
          << shared;
    }
    EXPECT_EQ(checkpoint.tensors().Find("model.layers.1.mlp.experts.0.gate_proj.theta"), nullptr);
  }
}

TEST(QuantizeExpertsTest, ExpertsHaveTheirOwnRotationsIfAsked) {
  const TemporaryFolder folder;
  NoProgress progress;
  QuantizeOptions options = Options(GoldenPath("models/qwen3_moe"), folder.path() / "out", "fast");
  options.recipe.layer.share_expert_rotations = false;
  Quantize(options, progress);
  const auto gates = Rotations(folder.path() / "out", "gate_proj");
  EXPECT_NE(gates[0], gates[1]);
}

// A Gemma 3 with a vision tower: its language model is quantized, all else is carried over.
TEST(QuantizePartsTest, OtherPartsStayByteForByte) {
  const TemporaryFolder folder;
  const std::filesystem::path source = folder.path() / "model";
  for (const char* prefix : {"language_model.model.", "model.language_model."}) {
    WriteEditedModel(
        GoldenPath("models/gemma3_text"), source,
        [&](std::vector<EditableTensor>& tensors) {
          for (EditableTensor& tensor : tensors) {
            tensor.name = prefix + tensor.name.substr(sizeof("model.") - 1);
          }
          tensors.push_back({"vision_tower.patch.weight", io::DType::kF16, {4}, {8, std::byte{1}}});
        },
        [](io::Json& config) {
          config = {{"model_type", "gemma3"}, {"text_config", std::move(config)}};
        });
    NoProgress progress;
    const std::filesystem::path out = folder.path() / "out";
    const QuantizeSummary summary = Quantize(Options(source, out, "gptq"), progress);
    EXPECT_THAT(summary.layers.front().plan.info.name, HasSubstr(prefix));
    EXPECT_THAT(Verify(out, source, progress), IsEmpty());
    const auto original = runtime::LanguageModel::Load(GoldenPath("models/gemma3_text"));
    const auto in_parts = runtime::LanguageModel::Load(source);
    const std::vector<int32_t> ids = {1, 17, 23, 5};
    EXPECT_TRUE(eval::WindowLogits(original, ids) == eval::WindowLogits(in_parts, ids));
    EXPECT_LT(Divergence(source, out), 0.1);
    std::filesystem::remove_all(source);
    std::filesystem::remove_all(out);
  }
}

// The transpose of a tensor [rows, columns] of halves.
std::vector<std::byte> Transposed(const EditableTensor& tensor) {
  const auto rows = static_cast<size_t>(tensor.shape[0]);
  const auto columns = static_cast<size_t>(tensor.shape[1]);
  std::vector<std::byte> result(tensor.bytes.size());
  for (size_t i = 0; i < rows; ++i) {
    for (size_t j = 0; j < columns; ++j) {
      std::copy_n(&tensor.bytes[2 * (i * columns + j)], 2, &result[2 * (j * rows + i)]);
    }
  }
  return result;
}

// [K, 2 N] of two matrices [K, N] of halves.
std::vector<std::byte> SideBySide(const std::vector<std::byte>& a, const std::vector<std::byte>& b,
                                  size_t rows) {
  const size_t width = a.size() / rows;
  std::vector<std::byte> result;
  for (size_t row = 0; row < rows; ++row) {
    for (const auto* part : {&a, &b}) {
      const auto first = part->begin() + static_cast<std::ptrdiff_t>(row * width);
      result.insert(result.end(), first, first + static_cast<std::ptrdiff_t>(width));
    }
  }
  return result;
}

// Puts the experts of the golden qwen3_moe's block 1 into two tensors, as Qwen3-VL has them.
void StackExperts(std::vector<EditableTensor>& tensors) {
  const std::string module = "model.layers.1.mlp.experts.";
  EditableTensor gate_up{module + "gate_up_proj", io::DType::kF16, {4, 64, 96}, {}};
  EditableTensor down{module + "down_proj", io::DType::kF16, {4, 48, 64}, {}};
  for (int expert = 0; expert < 4; ++expert) {
    const auto bytes = [&](const std::string& linear) {
      const std::string name = module + std::to_string(expert) + "." + linear + ".weight";
      return Transposed(*std::ranges::find(tensors, name, &EditableTensor::name));
    };
    const auto both = SideBySide(bytes("gate_proj"), bytes("up_proj"), 64);
    gate_up.bytes.insert(gate_up.bytes.end(), both.begin(), both.end());
    const auto last = bytes("down_proj");
    down.bytes.insert(down.bytes.end(), last.begin(), last.end());
  }
  std::erase_if(tensors, [&](const auto& tensor) { return tensor.name.starts_with(module); });
  tensors.push_back(std::move(gate_up));
  tensors.push_back(std::move(down));
}

TEST(QuantizeExpertsTest, ExpertsInOneTensorAreThoseWithTensorsOfTheirOwn) {
  const TemporaryFolder folder;
  const std::filesystem::path source = folder.path() / "model";
  WriteEditedModel(GoldenPath("models/qwen3_moe"), source, StackExperts,
                   [](io::Json& config) { config["model_type"] = "qwen3_vl_moe_text"; });
  const auto separate = runtime::LanguageModel::Load(GoldenPath("models/qwen3_moe"));
  const auto stacked = runtime::LanguageModel::Load(source);
  std::vector<int32_t> ids;
  for (int32_t id = 0; id < 40; ++id) ids.push_back(3 * id);
  // Of a window and of few tokens: not to the bit, for products of few rows take another way.
  for (const auto& tokens : {ids, std::vector<int32_t>{5, 9}}) {
    const Matrix difference =
        eval::WindowLogits(stacked, tokens) - eval::WindowLogits(separate, tokens);
    EXPECT_LT(difference.cwiseAbs().maxCoeff(), 1e-5F);
  }

  NoProgress progress;
  Quantize(Options(source, folder.path() / "stacked", "fast"), progress);
  Quantize(Options(GoldenPath("models/qwen3_moe"), folder.path() / "separate", "fast"), progress);
  EXPECT_THAT(Verify(folder.path() / "stacked", source, progress), IsEmpty());
  // down_proj has groups that do not divide and stays, so its tensor does; gate and up are packed.
  const auto found = model::Checkpoint::Open(folder.path() / "stacked");
  EXPECT_EQ(found.tensors().Find("model.layers.1.mlp.experts.gate_up_proj"), nullptr);
  EXPECT_NE(found.tensors().Find("model.layers.1.mlp.experts.down_proj"), nullptr);
  const auto expected = model::Checkpoint::Open(folder.path() / "separate");
  const std::string codes = "model.layers.1.mlp.experts.2.up_proj.qweight";
  EXPECT_TRUE(
      std::ranges::equal(found.tensors().Get(codes).bytes, expected.tensors().Get(codes).bytes));
}

}  // namespace
}  // namespace paroquant::pipeline
