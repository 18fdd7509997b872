// Channel scales folded into norms and rows: against the same codes with scales of their own.
#include "pipeline/scale_folding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "paroquant/base/file.h"
#include "paroquant/base/half.h"
#include "paroquant/eval/perplexity.h"
#include "paroquant/io/tensor_folder.h"
#include "paroquant/pipeline/quantize.h"
#include "paroquant/pipeline/verify.h"
#include "paroquant/quant/dequantize.h"
#include "paroquant/quant/packing.h"
#include "paroquant/runtime/language_model.h"
#include "tests/testing/edited_model.h"
#include "tests/testing/paths.h"

namespace paroquant::pipeline {
namespace {

namespace fs = std::filesystem;
using format::FormatKind;
using paroquant::testing::EditableTensor;
using paroquant::testing::GoldenPath;
using paroquant::testing::TemporaryFolder;
using paroquant::testing::WriteEditedModel;
using ::testing::Contains;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// Gives each query head keys and values of its own: those of its group.
void Ungroup(int64_t heads, int64_t kv_heads, int64_t first_row, EditableTensor& tensor) {
  const auto rows = static_cast<size_t>(tensor.shape[0]);
  const size_t row = tensor.bytes.size() / rows;
  const size_t parts = first_row > 0 ? 2 : 1;  // k and v behind q, or one of them alone
  const size_t kept = static_cast<size_t>(first_row) * row;
  const size_t head = (tensor.bytes.size() - kept) / (parts * static_cast<size_t>(kv_heads));
  std::vector<std::byte> bytes(tensor.bytes.begin(),
                               tensor.bytes.begin() + static_cast<std::ptrdiff_t>(kept));
  for (size_t at = kept; at < tensor.bytes.size(); at += head) {
    for (int64_t copy = 0; copy < heads / kv_heads; ++copy) {
      bytes.insert(bytes.end(), tensor.bytes.begin() + static_cast<std::ptrdiff_t>(at),
                   tensor.bytes.begin() + static_cast<std::ptrdiff_t>(at + head));
    }
  }
  tensor.bytes = std::move(bytes);
  tensor.shape[0] = static_cast<int64_t>(tensor.bytes.size() / row);
}

// A golden model in F32, which scales change by nothing but themselves; "-mha" behind its name:
// with as many heads of keys and values as of queries.
void WriteSource(std::string name, const fs::path& folder) {
  const bool ungrouped = name.ends_with("-mha");
  if (ungrouped) name.resize(name.size() - 4);
  const io::Json config = io::ReadJsonFile(GoldenPath("models") / name / "config.json");
  const auto heads = config.at("num_attention_heads").get<int64_t>();
  const auto kv_heads = config.at("num_key_value_heads").get<int64_t>();
  const int64_t queries = config.at("hidden_size").get<int64_t>();
  WriteEditedModel(
      GoldenPath("models") / name, folder,
      [&](std::vector<EditableTensor>& tensors) {
        for (EditableTensor& tensor : tensors) {
          testing::Retype(io::DType::kF32, tensor);
          if (!ungrouped) continue;
          const auto holds = [&](const char* part) {
            return tensor.name.find(part) != std::string::npos;
          };
          if (holds(".k_proj") || holds(".v_proj")) Ungroup(heads, kv_heads, 0, tensor);
          if (holds("qkv_proj")) Ungroup(heads, kv_heads, queries, tensor);
        }
      },
      [&](io::Json& edited) {
        if (ungrouped) edited["num_key_value_heads"] = heads;
      });
}

QuantizeOptions Options(const fs::path& model, const fs::path& out) {
  QuantizeOptions options{.model = model, .out = out, .recipe = method::LoadRecipe("awq")};
  options.recipe.group_size = 32;
  options.recipe.calibration_sequences = 8;
  options.recipe.sequence_length = 48;
  options.format = FormatKind::kAwq;
  return options;
}

// What the report says was folded, by module: the scales and where they went.
struct Folded {
  std::string into;
  std::vector<uint16_t> scales;
};
std::map<std::string, Folded> ReadFolding(const fs::path& out) {
  std::map<std::string, Folded> folded;
  const io::Json report = io::ReadJsonFile(out / kProvenanceFile);
  for (const io::Json& layer : report.at("layers")) {
    if (!layer.contains("channel_scales_in")) continue;
    folded[layer.at("name")] = {layer.at("channel_scales_in"),
                                FromHex(layer.at("channel_scales").get<std::string>())};
  }
  return folded;
}

// The checkpoint `out` with plain weights that have its channel scales themselves, all else as in
// `source`.
void WriteExplicit(const fs::path& source, const fs::path& out, const fs::path& folder) {
  const std::map<std::string, Folded> folded = ReadFolding(out);
  const auto checkpoint = model::Checkpoint::Open(out);
  const format::PackedLayers packed(checkpoint);
  std::map<std::string, Matrix> weights;
  for (int64_t block = 0; block < checkpoint.architecture().layers; ++block) {
    for (const model::LinearInfo& info : DescribeLinears(checkpoint.architecture(), block)) {
      if (!packed.Has(info)) continue;
      auto linear = quant::Unpack(quant::Copy(packed.Read(info)), info.name);
      if (folded.contains(info.name)) linear.channel_scales = folded.at(info.name).scales;
      Matrix& weight = weights[info.WeightName()] = quant::EffectiveWeight(linear);
      for (const auto& [module, taken] : folded) {
        if (taken.into != info.name) continue;
        const Eigen::Index first = weight.rows() - std::ssize(taken.scales);
        for (size_t i = 0; i < taken.scales.size(); ++i) {
          weight.row(first + static_cast<Eigen::Index>(i)) /= HalfToFloat(taken.scales[i]);
        }
      }
    }
  }
  WriteEditedModel(source, folder, [&](std::vector<EditableTensor>& tensors) {
    for (EditableTensor& tensor : tensors) {
      const auto found = weights.find(tensor.name);
      if (found == weights.end()) continue;
      const auto values = std::as_bytes(std::span(found->second.data(), found->second.size()));
      tensor.bytes.assign(values.begin(), values.end());
    }
  });
}

class ScaleFoldingTest : public ::testing::TestWithParam<const char*> {
 protected:
  ScaleFoldingTest() { WriteSource(GetParam(), source()); }
  fs::path source() const { return folder_.path() / "source"; }
  fs::path out() const { return folder_.path() / "out"; }

  const TemporaryFolder folder_;
  NoProgress progress_;
};

INSTANTIATE_TEST_SUITE_P(Families, ScaleFoldingTest,
                         ::testing::Values("gemma", "gemma2", "gemma3_text", "granite", "mixtral",
                                           "olmo2", "phi3", "phi3-mha", "llama_untied_bias",
                                           "llama_untied_bias-mha", "qwen2", "qwen3", "qwen3_moe",
                                           "smollm3"),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST_P(ScaleFoldingTest, GivesTheLogitsOfScalesThatLayersKeep) {
  Quantize(Options(source(), out()), progress_);
  EXPECT_THAT(Verify(out(), source(), progress_), IsEmpty());
  bool any = false;
  for (const auto& [module, taken] : ReadFolding(out())) {
    any = any || std::ranges::any_of(taken.scales, [](uint16_t s) { return s != 0x3C00; });
  }
  EXPECT_TRUE(any) << "all scales are 1";
  WriteExplicit(source(), out(), folder_.path() / "explicit");
  std::vector<int32_t> ids;
  for (int32_t id = 1; id < 60; ++id) ids.push_back(2 * id);
  const Matrix found = eval::WindowLogits(runtime::LanguageModel::Load(out()), ids);
  const Matrix expected =
      eval::WindowLogits(runtime::LanguageModel::Load(folder_.path() / "explicit"), ids);
  const float tolerance = 1e-5F * std::max(1.0F, expected.cwiseAbs().maxCoeff());
  EXPECT_LT((found - expected).cwiseAbs().maxCoeff(), tolerance);
}

TEST(ScaleFoldingPlanTest, ScalesGoWhereSomethingTakesThemUp) {
  const TemporaryFolder folder;
  const auto plans = [&](const std::string& name, std::vector<std::string> skip = {}) {
    if (!fs::exists(folder.path() / name)) WriteSource(name, folder.path() / name);
    const auto checkpoint = model::Checkpoint::Open(folder.path() / name);
    QuantizeOptions options = Options("", "");
    options.recipe.group_size = 16;  // which divides all the goldens' inputs
    options.skip = std::move(skip);
    std::map<std::string, ScalePlace> places;
    for (const LayerPlan& plan : PlanLayers(checkpoint.architecture(), options)) {
      places[plan.info.name.substr(plan.info.name.find("layers."))] = plan.scales;
    }
    return places;
  };
  const auto mha = plans("llama_untied_bias-mha");
  EXPECT_EQ(mha.at("layers.1.self_attn.k_proj").into, "model.layers.1.input_layernorm.weight");
  EXPECT_EQ(mha.at("layers.1.self_attn.o_proj").into, "model.layers.1.self_attn.v_proj");

  const auto grouped = plans("llama_untied_bias");
  EXPECT_THAT(grouped.at("layers.0.self_attn.o_proj").reason, HasSubstr("grouped-query"));
  const auto skipped = plans("llama_untied_bias-mha", {"k_proj"});
  EXPECT_THAT(skipped.at("layers.0.self_attn.q_proj").reason, HasSubstr("stays in 16 bits"));
  const auto up_skipped = plans("gemma2", {"up_proj"});
  EXPECT_THAT(up_skipped.at("layers.0.mlp.down_proj").reason, HasSubstr("stays in 16 bits"));
  EXPECT_EQ(skipped.at("layers.0.self_attn.k_proj").home, ScaleHome::kLayer);
  EXPECT_EQ(skipped.at("layers.0.self_attn.o_proj").home, ScaleHome::kRows);
  const auto post = plans("olmo2");
  EXPECT_THAT(post.at("layers.0.self_attn.q_proj").reason, HasSubstr("no norm"));
  EXPECT_THAT(post.at("layers.0.mlp.gate_proj").reason, HasSubstr("no norm"));
  const auto experts = plans("mixtral");
  EXPECT_THAT(experts.at("layers.0.block_sparse_moe.experts.2.w1").reason, HasSubstr("router"));
  EXPECT_EQ(experts.at("layers.0.block_sparse_moe.experts.2.w2").into,
            "model.layers.0.block_sparse_moe.experts.2.w3");
  EXPECT_EQ(plans("phi3-mha").at("layers.0.self_attn.o_proj").into,
            "model.layers.0.self_attn.qkv_proj");
  const auto dense = plans("gemma2");
  EXPECT_EQ(dense.at("layers.0.mlp.gate_proj").into,
            "model.layers.0.pre_feedforward_layernorm.weight");
  EXPECT_EQ(dense.at("layers.0.mlp.down_proj").into, "model.layers.0.mlp.up_proj");
}

// Halves and bfloats round norms and rows; every other layout folds alike.
TEST(ScaleFoldingLayoutTest, EveryLayoutVerifiesAndSaysWhatItChanged) {
  const TemporaryFolder folder;
  NoProgress progress;
  for (const FormatKind format :
       {FormatKind::kGptq, FormatKind::kGptqV2, FormatKind::kCompressedTensors}) {
    for (const char* model : {"llama_untied_bias", "llama_bf16"}) {
      const fs::path source = GoldenPath("models") / model;
      QuantizeOptions options = Options(source, folder.path() / format::FormatName(format) / model);
      options.format = format;
      options.recipe.layer.symmetric = format == FormatKind::kGptq;
      const QuantizeSummary summary = Quantize(options, progress);
      EXPECT_THAT(summary.notes, Contains(HasSubstr("folded into")));
      EXPECT_THAT(summary.notes, Contains(HasSubstr("grouped-query attention")));
      EXPECT_THAT(Verify(options.out, source, progress), IsEmpty()) << model;
    }
  }
}

TEST(ScaleFoldingVerifyTest, AFoldedTensorThatIsNotTheProductIsFound) {
  const TemporaryFolder folder;
  NoProgress progress;
  const fs::path source = GoldenPath("models/llama_untied_bias");
  Quantize(Options(source, folder.path() / "out"), progress);
  const std::string norm = "model.layers.1.input_layernorm.weight";
  WriteEditedModel(folder.path() / "out", folder.path() / "edited",
                   [&](std::vector<EditableTensor>& tensors) {
                     const auto tensor = std::ranges::find(tensors, norm, &EditableTensor::name);
                     tensor->bytes[10] ^= std::byte{1};
                   });
  fs::copy(folder.path() / "out", folder.path() / "edited",
           fs::copy_options::skip_existing | fs::copy_options::recursive);
  const auto problems = Verify(folder.path() / "edited", source, progress);
  ASSERT_EQ(problems.size(), 2U) << problems.back().where << ": " << problems.back().found;
  EXPECT_EQ(problems.front().where, norm);
  EXPECT_THAT(problems.front().expected, HasSubstr("the checksum"));
  EXPECT_EQ(problems.back().where, norm);
  EXPECT_THAT(problems.back().expected, HasSubstr("channel scales"));
}

// Whoever spoils a checkpoint can spoil its report, too: only norms and biases take scales up.
TEST(ScaleFoldingVerifyTest, AReportExcusesNoOtherTensor) {
  const TemporaryFolder folder;
  NoProgress progress;
  const fs::path source = GoldenPath("models/llama_untied_bias");
  const fs::path out = folder.path() / "out";
  const fs::path edited = folder.path() / "edited";
  const std::string spoilt = "model.embed_tokens.weight";
  Quantize(Options(source, out), progress);
  io::Json report = io::ReadJsonFile(out / kProvenanceFile);
  std::vector<uint16_t> scales;
  for (io::Json& layer : report.at("layers")) {
    if (layer.at("name") != "model.layers.1.self_attn.q_proj") continue;
    scales = FromHex(layer.at("channel_scales").get<std::string>());
    layer["channel_scales_in"] = spoilt;
  }
  ASSERT_THAT(scales, Not(IsEmpty()));
  const auto original = io::TensorFolder::Open(out);
  WriteEditedModel(out, edited, [&](std::vector<EditableTensor>& tensors) {
    const auto tensor = std::ranges::find(tensors, spoilt, &EditableTensor::name);
    tensor->bytes = FoldedTensor(original.Get(spoilt), scales, /*adds_one=*/false);
  });
  fs::copy(out, edited, fs::copy_options::skip_existing | fs::copy_options::recursive);
  WriteFile(edited / kProvenanceFile, report.dump());
  EXPECT_THAT(Verify(edited, source, progress), Contains(Field(&VerifyProblem::where, spoilt)));
}

TEST(ScaleFoldingHexTest, TextThatIsNoHalvesGivesNone) {
  const std::vector<uint16_t> halves = {0x3C00, 0x0001, 0xFFFF};
  EXPECT_EQ(ToHex(halves), "3c000001ffff");
  EXPECT_EQ(FromHex("3c000001ffff"), halves);
  EXPECT_THAT(FromHex("3c0"), IsEmpty());
  EXPECT_THAT(FromHex("3c0x"), IsEmpty());
}

}  // namespace
}  // namespace paroquant::pipeline
