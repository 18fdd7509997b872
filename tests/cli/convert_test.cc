// convert: from each layout to others and back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <span>
#include <utility>

#include "paroquant/base/file.h"
#include "paroquant/base/half.h"
#include "paroquant/io/tensor_folder.h"
#include "paroquant/model/checkpoint.h"
#include "tests/cli/cli_process.h"
#include "tests/cli/layout_fixture.h"
#include "tests/testing/edited_model.h"

namespace paroquant {
namespace {

namespace fs = std::filesystem;
using testing::CliResult;
using testing::FolderContent;
using testing::GoldenPath;
using ::testing::HasSubstr;
using testing::kTinyLlama;
using testing::RunCli;
using testing::RunCliJson;

class ConvertTest : public testing::LayoutTest {
 protected:
  io::Json Convert(const std::string& from, const std::string& to, const std::string& format) {
    return RunCliJson({"convert", "--model", from, "--out", to, "--format", format});
  }

  // Of models without a tokenizer.
  double NllOfIds(const std::string& model) {
    WriteFile(At("ids.json"), R"({"input_ids": [1, 5, 9, 33, 120, 7, 88, 150, 42, 64, 3, 11]})");
    const io::Json result =
        RunCliJson({"eval-ppl", "--model", model, "--data", At("ids.json"), "--window", "12"});
    return result.at("results").at(0).at("nll").get<double>();
  }

  // The card names the folder that the checkpoint was made from.
  std::map<std::string, std::string> ContentButCard(const std::string& name) {
    auto content = FolderContent(At(name));
    content.erase("README.md");
    return content;
  }

  // The model "gptq" cannot be converted.
  void ExpectRefused(const std::string& format, const std::string& message) {
    const CliResult result =
        RunCli({"convert", "--model", At("gptq"), "--out", At("out"), "--format", format});
    EXPECT_EQ(result.exit_code, 4) << format;
    EXPECT_THAT(result.error, HasSubstr(message));
    EXPECT_FALSE(fs::exists(At("out")));
  }

  // Of the packed layouts only compressed-tensors holds what the model "gptq" has: it gives the
  // same text there and as plain weights, comes back as it was, and others refuse it by `name`.
  void ExpectOnlyCompressedTensorsHoldsIt(const std::string& name) {
    Convert(At("gptq"), At("plain"), "fp16");
    Convert(At("gptq"), At("ct"), "compressed-tensors");
    EXPECT_NEAR(NllOfIds(At("gptq")), NllOfIds(At("plain")), 1e-5);
    EXPECT_EQ(NllOfIds(At("gptq")), NllOfIds(At("ct")));
    EXPECT_EQ(RunCli({"verify", "--model", At("ct")}).exit_code, 0);
    Convert(At("ct"), At("gptq-again"), "gptq");
    Convert(At("gptq-again"), At("ct-again"), "compressed-tensors");
    EXPECT_EQ(ContentButCard("ct-again"), ContentButCard("ct"));
    ExpectRefused("awq", name);
    ExpectRefused("paroquant", name);
  }
};

TEST_F(ConvertTest, ThereAndBackGivesTheSameFiles) {
  const io::Json first = Convert(GoldenPath("packed/awq").string(), At("ct"), "compressed-tensors");
  EXPECT_EQ(first.at("from"), "awq");
  EXPECT_EQ(first.at("format"), "compressed-tensors");
  EXPECT_EQ(first.at("layers_converted"), 14);
  EXPECT_EQ(first.at("layers_kept"), 0);
  Convert(At("ct"), At("gptq"), "gptq_v2");
  Convert(At("gptq"), At("paroquant"), "paroquant");
  Convert(At("paroquant"), At("awq"), "awq");
  Convert(At("awq"), At("ct-again"), "compressed-tensors");
  EXPECT_EQ(FolderContent(At("ct-again")), FolderContent(At("ct")));
  EXPECT_EQ(RunCli({"verify", "--model", At("paroquant")}).exit_code, 0);
}

// The golden GPTQ checkpoint is one of AutoGPTQ's, symmetric as engines want it.
TEST_F(ConvertTest, SymmetricCheckpointsStaySymmetric) {
  const fs::path gptq = GoldenPath("packed/gptq");
  Convert(gptq.string(), At("ct"), "compressed-tensors");
  const io::Json config = io::ReadJsonFile(fs::path(At("ct")) / "config.json");
  EXPECT_EQ(config["quantization_config"]["config_groups"]["group_0"]["weights"]["symmetric"],
            true);
  EXPECT_EQ(FolderContent(At("ct")).at("model.safetensors").find("weight_zero_point"),
            std::string::npos);
  EXPECT_EQ(RunCli({"verify", "--model", At("ct"), "--target", "vllm"}).exit_code, 0);
  Convert(At("ct"), At("again"), "gptq");
  EXPECT_EQ(io::ReadJsonFile(fs::path(At("again")) / "config.json"),
            io::ReadJsonFile(gptq / "config.json"));
  const auto before = io::TensorFolder::Open(gptq);
  const auto after = io::TensorFolder::Open(At("again"));
  ASSERT_EQ(after.tensors().size(), before.tensors().size());
  for (const io::TensorView& tensor : before.tensors()) {
    EXPECT_TRUE(std::ranges::equal(after.Get(tensor.name).bytes, tensor.bytes)) << tensor.name;
  }
  Convert(At("ct"), At("awq"), "awq");
  Convert(At("awq"), At("ct-again"), "compressed-tensors");
  EXPECT_EQ(ContentButCard("ct-again"), ContentButCard("ct"));
}

// A copy of a packed golden model whose other weights have another type.
void WriteRetyped(
    const std::string& golden, const fs::path& folder, io::DType dtype,
    const std::function<void(testing::EditableTensor&)>& edit = [](auto&) {},
    const std::function<void(io::Json&)>& edit_config = [](io::Json&) {}) {
  testing::WriteEditedModel(
      GoldenPath("packed") / golden, folder,
      [&](std::vector<testing::EditableTensor>& tensors) {
        for (testing::EditableTensor& tensor : tensors) {
          if (tensor.name.ends_with(".weight")) testing::Retype(dtype, tensor);
          edit(tensor);
        }
      },
      edit_config);
}

// The golden GPTQ model in F32, which holds what codes stand for exactly, with the channels of
// down_proj, K = 384, dealt to its three groups in turn.
void WriteActOrder(const fs::path& folder) {
  WriteRetyped(
      "gptq", folder, io::DType::kF32,
      [](testing::EditableTensor& tensor) {
        if (!tensor.name.ends_with("down_proj.g_idx")) return;
        std::vector<int32_t> groups(384);
        for (size_t k = 0; k < groups.size(); ++k) groups[k] = static_cast<int32_t>(k % 3);
        ASSERT_EQ(tensor.bytes.size(), std::as_bytes(std::span(groups)).size());
        std::memcpy(tensor.bytes.data(), groups.data(), tensor.bytes.size());
      },
      [](io::Json& config) { config["quantization_config"]["desc_act"] = true; });
}

// The same with but the first group's scales and zero points, for all channels.
void WriteWholeRows(const fs::path& folder) {
  WriteRetyped(
      "gptq", folder, io::DType::kF32,
      [](testing::EditableTensor& tensor) {
        if (tensor.name.ends_with(".g_idx")) std::ranges::fill(tensor.bytes, std::byte{0});
        if (!tensor.name.ends_with(".scales") && !tensor.name.ends_with(".qzeros")) return;
        tensor.bytes.resize(tensor.bytes.size() / static_cast<size_t>(tensor.shape[0]));
        tensor.shape[0] = 1;
      },
      [](io::Json& config) { config["quantization_config"]["group_size"] = -1; });
}

TEST_F(ConvertTest, OneScaleForARowIsEvaluatedConvertedAndRefusedByName) {
  WriteWholeRows(At("gptq"));
  ExpectOnlyCompressedTensorsHoldsIt("one scale for a whole row");
  const io::Json config = io::ReadJsonFile(fs::path(At("ct")) / "config.json");
  const io::Json& group = config["quantization_config"]["config_groups"]["group_0"];
  EXPECT_EQ(group["weights"]["strategy"], "channel");
  EXPECT_FALSE(group["weights"].contains("group_size"));
}

TEST_F(ConvertTest, ActOrderIsEvaluatedConvertedAndRefusedByName) {
  WriteActOrder(At("gptq"));
  ExpectOnlyCompressedTensorsHoldsIt("act order");
  EXPECT_GT(std::abs(NllOfIds(At("gptq")) - NllOfIds(GoldenPath("packed/gptq").string())), 1e-3);
}

TEST_F(ConvertTest, LayoutsWithoutRotationsAreRefusedBeforeAnythingIsWritten) {
  for (const char* format : {"awq", "gptq", "gptq_v2", "compressed-tensors"}) {
    const CliResult result = RunCli({"convert", "--model", GoldenPath("packed/paroquant").string(),
                                     "--out", At("out"), "--format", format});
    EXPECT_EQ(result.exit_code, 4) << format;
    EXPECT_THAT(result.error, HasSubstr("rotations of the inputs"));
    EXPECT_FALSE(fs::exists(At("out")));
  }
}

TEST_F(ConvertTest, PlainWeightsEvaluateLikeTheCodesTheyComeFrom) {
  Quantize(At("packed"), {"--recipe", "fast"});
  Convert(At("packed"), At("plain"), "fp16");
  // Rounding to F16 moves each token up or down, and by chance the mean; quantizing moves it by
  // some 0.01.
  EXPECT_NEAR(Nll(At("plain"), /*windows=*/32), Nll(At("packed"), /*windows=*/32), 3e-4);
  EXPECT_EQ(RunCli({"verify", "--model", At("plain")}).exit_code, 0);
}

// Engines load a model in the one type that its config names. F32 holds what the codes stand for.
TEST_F(ConvertTest, PlainWeightsHaveTheTypeOfTheOthersAndTheConfigSaysSo) {
  const std::vector<std::pair<io::DType, std::string>> types = {
      {io::DType::kF32, "float32"}, {io::DType::kF16, "float16"}, {io::DType::kBF16, "bfloat16"}};
  for (const auto& [dtype, name] : types) {
    WriteRetyped("paroquant", At("packed-" + name), dtype);
    Convert(At("packed-" + name), At(name), "fp16");
    EXPECT_EQ(io::ReadJsonFile(fs::path(At(name)) / "config.json").at("torch_dtype"), name);
  }
  EXPECT_NEAR(NllOfIds(At("float32")), NllOfIds(At("packed-float32")), 1e-5);
  const auto exact = io::TensorFolder::Open(At("float32"));
  const auto halves = io::TensorFolder::Open(At("float16"));
  const auto bfloats = io::TensorFolder::Open(At("bfloat16"));
  for (const io::TensorView& tensor : exact.tensors()) {
    EXPECT_EQ(tensor.dtype, io::DType::kF32) << tensor.name;
    const auto bits = [&](const io::TensorFolder& folder, io::DType dtype) {
      const io::TensorView& other = folder.Get(tensor.name);
      EXPECT_EQ(other.dtype, dtype) << tensor.name;
      std::vector<uint16_t> values(other.bytes.size() / 2);
      std::memcpy(values.data(), other.bytes.data(), other.bytes.size());
      return values;
    };
    std::vector<uint16_t> as_half;
    std::vector<uint16_t> as_bfloat;
    for (const float value : model::DecodeFloats(tensor)) {
      as_half.push_back(FloatToHalf(value));
      as_bfloat.push_back(FloatToBFloat16(value));
    }
    EXPECT_EQ(bits(halves, io::DType::kF16), as_half) << tensor.name;
    EXPECT_EQ(bits(bfloats, io::DType::kBF16), as_bfloat) << tensor.name;
  }
}

TEST_F(ConvertTest, WhatCannotBeConvertedSaysWhy) {
  const std::string awq = GoldenPath("packed/awq").string();
  struct Refusal {
    std::string model;
    const char* format;
    int exit_code;
    const char* message;
  };
  for (const Refusal& c : std::vector<Refusal>{
           {kTinyLlama, "awq", 3, "without packed layers"},
           {awq, "awq", 2, "another layout than the checkpoint has"},
           {awq, "exl3", 2, "one of paroquant, awq, gptq, gptq_v2, compressed-tensors, fp16"},
           {At("nothing"), "awq", 3, "config.json"}}) {
    const CliResult result =
        RunCli({"convert", "--model", c.model, "--out", At("out"), "--format", c.format});
    EXPECT_EQ(result.exit_code, c.exit_code) << c.message;
    EXPECT_THAT(result.error, HasSubstr(c.message));
    EXPECT_FALSE(fs::exists(At("out")));
  }
}

}  // namespace
}  // namespace paroquant
