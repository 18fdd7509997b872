// Outlier channels as large models have them, without changing what the model computes: some
// channels of each norm are made larger and the columns that read them smaller.
#include <gtest/gtest.h>

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "paroquant/base/file.h"
#include "paroquant/base/matrix.h"
#include "paroquant/io/output_folder.h"
#include "paroquant/io/safetensors_writer.h"
#include "paroquant/io/tensor_folder.h"
#include "paroquant/model/checkpoint.h"
#include "tests/cli/cli_process.h"

namespace paroquant {
namespace {

namespace fs = std::filesystem;
using testing::DataPath;
using testing::kTinyLlama;
using testing::RunCliJson;
using testing::TemporaryFolder;

constexpr float kFactor = 16;
constexpr int64_t kEvery = 32;  // 8 of 256 channels

// What multiplies channel `channel` of this tensor's last dimension: a norm's weights grow where
// those of the linears behind it shrink.
float Factor(const std::string& name, int64_t channel) {
  const auto ends_with_one_of = [&](const std::vector<const char*>& ends) {
    return std::any_of(ends.begin(), ends.end(), [&](const char* end) {
      return name.ends_with(std::string(end) + ".weight");
    });
  };
  if (channel % kEvery != 5) return 1;
  if (ends_with_one_of({"input_layernorm", "post_attention_layernorm"})) return kFactor;
  if (ends_with_one_of({"q_proj", "k_proj", "v_proj", "gate_proj", "up_proj"})) return 1 / kFactor;
  return 1;
}

// A copy of the model with outliers, in float32, where the change is exact.
void WriteWithOutliers(const fs::path& model, const fs::path& out) {
  const auto source = io::TensorFolder::Open(model);
  std::vector<io::TensorSpec> specs;
  for (const io::TensorView& tensor : source.tensors()) {
    specs.push_back({tensor.name, io::DType::kF32, tensor.shape});
  }
  auto folder = io::OutputFolder::Create(out, /*overwrite=*/false);
  io::SafetensorsWriter writer(folder, specs, uint64_t{1} << 32, {});
  for (const io::TensorView& tensor : source.tensors()) {
    std::vector<float> values(static_cast<size_t>(tensor.elements()));
    model::DecodeFloats(tensor, 0, tensor.elements(), values.data());
    for (size_t i = 0; i < values.size(); ++i) {
      values[i] *= Factor(tensor.name, static_cast<int64_t>(i) % tensor.shape.back());
    }
    writer.Write(tensor.name, std::as_bytes(std::span(values)));
  }
  writer.Finish();
  for (const char* name : {"tokenizer.json", "config.json"}) {
    WriteFile(folder.Stage(name), ReadFile(model / name));
  }
  folder.Commit();
}

double Divergence(const std::string& model, const std::string& baseline) {
  return RunCliJson({"eval-ppl", "--model", model, "--baseline", baseline, "--window", "512",
                     "--max-windows", "60", "--data",
                     DataPath("tiny-llama/sample_evaluation.txt").string()})
      .at("results")
      .at(0)
      .at("kl_divergence");
}

class OutliersTest : public ::testing::Test {
 protected:
  void SetUp() override { WriteWithOutliers(kTinyLlama, outliers_); }

  double Quantized(const std::string& model, const std::string& recipe) {
    const std::string out = (folder_.path() / ("out" + std::to_string(count_++))).string();
    RunCliJson({"quantize", "--model", model, "--out", out, "--recipe", recipe, "--calib",
                DataPath("tiny-llama/sample_calibration.txt").string(), "--sequence-length", "512",
                "--calib-sequences", "48"});
    return Divergence(out, kTinyLlama);
  }

  const TemporaryFolder folder_;
  const std::string outliers_ = (folder_.path() / "outliers").string();
  int count_ = 0;
};

TEST_F(OutliersTest, TheModelComputesTheSame) {
  EXPECT_LT(Divergence(outliers_, kTinyLlama), 1e-9);
}

TEST_F(OutliersTest, FastHardlyMindsThem) {
  const double plain = Quantized(kTinyLlama, "fast");
  const double outliers = Quantized(outliers_, "fast");
  RecordProperty("kl_plain", std::to_string(plain));
  RecordProperty("kl_outliers", std::to_string(outliers));
  EXPECT_LE(outliers, 1.1 * plain);
}

TEST_F(OutliersTest, GptqAloneLosesMoreThanTwiceAsMuch) {
  EXPECT_GT(Quantized(outliers_, "gptq"), 2 * Quantized(kTinyLlama, "gptq"));
}

}  // namespace
}  // namespace paroquant
