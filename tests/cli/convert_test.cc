// Other layouts through the program: quantize --format, convert, verify --target.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "paroquant/base/file.h"
#include "paroquant/base/half.h"
#include "paroquant/io/tensor_folder.h"
#include "tests/cli/cli_process.h"
#include "tests/testing/edited_model.h"

namespace paroquant {
namespace {

namespace fs = std::filesystem;
using testing::CliResult;
using testing::DataPath;
using testing::FolderContent;
using testing::GoldenPath;
using ::testing::HasSubstr;
using testing::RunCli;
using testing::RunCliJson;
using testing::TemporaryFolder;

const std::string kTinyLlama = DataPath("tiny-llama").string();

class ConvertTest : public ::testing::Test {
 protected:
  std::string At(const std::string& name) const { return (folder_.path() / name).string(); }

  io::Json Convert(const std::string& from, const std::string& to, const std::string& format) {
    return RunCliJson({"convert", "--model", from, "--out", to, "--format", format});
  }

  io::Json Quantize(const std::string& out, std::vector<std::string> options) {
    options.insert(options.begin(), {"quantize", "--model", kTinyLlama, "--out", out,
                                     "--calib-sequences", "8", "--sequence-length", "64"});
    return RunCliJson(options);
  }

  double Nll(const std::string& model) {
    const io::Json result =
        RunCliJson({"eval-ppl", "--model", model, "--data", kTinyLlama + "/sample_evaluation.txt",
                    "--window", "128", "--max-windows", "4"});
    return result.at("results").at(0).at("nll").get<double>();
  }

  // Of models without a tokenizer.
  double NllOfIds(const std::string& model) {
    WriteFile(At("ids.json"), R"({"input_ids": [1, 5, 9, 33, 120, 7, 88, 150, 42, 64, 3, 11]})");
    const io::Json result =
        RunCliJson({"eval-ppl", "--model", model, "--data", At("ids.json"), "--window", "12"});
    return result.at("results").at(0).at("nll").get<double>();
  }

  // The model "gptq" cannot be converted.
  void ExpectRefused(const std::string& format, const std::string& message) {
    const CliResult result =
        RunCli({"convert", "--model", At("gptq"), "--out", At("out"), "--format", format});
    EXPECT_EQ(result.exit_code, 4) << format;
    EXPECT_THAT(result.error, HasSubstr(message));
    EXPECT_FALSE(fs::exists(At("out")));
  }

  TemporaryFolder folder_;
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
  EXPECT_EQ(FolderContent(At("ct-again")), FolderContent(At("ct")));
}

// Deals the channels of down_proj, K = 384, to its three groups in turn.
void ShuffleGroups(const fs::path& model) {
  std::string bytes = ReadFile(model / "model.safetensors");
  std::vector<int32_t> before(384);
  std::vector<int32_t> after(384);
  for (size_t k = 0; k < before.size(); ++k) {
    before[k] = static_cast<int32_t>(k / 128);
    after[k] = static_cast<int32_t>(k % 3);
  }
  const std::string needle(reinterpret_cast<const char*>(before.data()), sizeof(int32_t) * 384);
  int found = 0;
  for (size_t at = bytes.find(needle); at != std::string::npos; at = bytes.find(needle, at)) {
    std::memcpy(&bytes[at], after.data(), needle.size());
    ++found;
  }
  ASSERT_EQ(found, 2);
  WriteFile(model / "model.safetensors", bytes);
  io::Json config = io::ReadJsonFile(model / "config.json");
  config["quantization_config"]["desc_act"] = true;
  WriteFile(model / "config.json", config.dump(2) + "\n");
}

// The golden GPTQ model with but the first group's scales and zero points, for all channels.
void WriteWholeRows(const fs::path& folder) {
  testing::WriteEditedModel(
      GoldenPath("packed/gptq"), folder,
      [](std::vector<testing::EditableTensor>& tensors) {
        for (testing::EditableTensor& tensor : tensors) {
          if (tensor.name.ends_with(".g_idx")) std::ranges::fill(tensor.bytes, std::byte{0});
          if (!tensor.name.ends_with(".scales") && !tensor.name.ends_with(".qzeros")) continue;
          tensor.bytes.resize(tensor.bytes.size() / static_cast<size_t>(tensor.shape[0]));
          tensor.shape[0] = 1;
        }
      },
      [](io::Json& config) { config["quantization_config"]["group_size"] = -1; });
}

TEST_F(ConvertTest, OneScaleForARowIsEvaluatedConvertedAndRefusedByName) {
  WriteWholeRows(At("gptq"));
  Convert(At("gptq"), At("plain"), "fp16");
  Convert(At("gptq"), At("ct"), "compressed-tensors");
  const io::Json config = io::ReadJsonFile(fs::path(At("ct")) / "config.json");
  const io::Json& group = config["quantization_config"]["config_groups"]["group_0"];
  EXPECT_EQ(group["weights"]["strategy"], "channel");
  EXPECT_FALSE(group["weights"].contains("group_size"));
  EXPECT_NEAR(NllOfIds(At("gptq")), NllOfIds(At("plain")), 1e-4);
  EXPECT_EQ(NllOfIds(At("gptq")), NllOfIds(At("ct")));
  EXPECT_EQ(RunCli({"verify", "--model", At("ct")}).exit_code, 0);
  Convert(At("ct"), At("gptq-again"), "gptq");
  Convert(At("gptq-again"), At("ct-again"), "compressed-tensors");
  EXPECT_EQ(FolderContent(At("ct-again")), FolderContent(At("ct")));
  ExpectRefused("awq", "one scale for a whole row");
  ExpectRefused("paroquant", "one scale for a whole row");
}

TEST_F(ConvertTest, ActOrderIsEvaluatedConvertedAndRefusedByName) {
  fs::copy(GoldenPath("packed/gptq"), At("gptq"));
  ShuffleGroups(At("gptq"));
  Convert(At("gptq"), At("plain"), "fp16");
  Convert(At("gptq"), At("ct"), "compressed-tensors");
  EXPECT_NEAR(NllOfIds(At("gptq")), NllOfIds(At("plain")), 1e-4);
  EXPECT_EQ(NllOfIds(At("gptq")), NllOfIds(At("ct")));
  EXPECT_GT(std::abs(NllOfIds(At("gptq")) - NllOfIds(GoldenPath("packed/gptq").string())), 1e-3);
  EXPECT_EQ(RunCli({"verify", "--model", At("ct")}).exit_code, 0);
  Convert(At("ct"), At("gptq-again"), "gptq");
  Convert(At("gptq-again"), At("ct-again"), "compressed-tensors");
  EXPECT_EQ(FolderContent(At("ct-again")), FolderContent(At("ct")));
  ExpectRefused("awq", "act order");
  ExpectRefused("paroquant", "act order");
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
  EXPECT_NEAR(Nll(At("plain")), Nll(At("packed")), 1e-4);
  EXPECT_EQ(RunCli({"verify", "--model", At("plain")}).exit_code, 0);
}

// A copy of a packed golden model with its other weights in another type.
void WriteRetyped(const std::string& golden, const fs::path& folder, io::DType dtype) {
  testing::WriteEditedModel(GoldenPath("packed") / golden, folder,
                            [dtype](std::vector<testing::EditableTensor>& tensors) {
                              for (testing::EditableTensor& tensor : tensors) {
                                if (!tensor.name.ends_with(".weight")) continue;
                                std::vector<float> floats(tensor.bytes.size() / 2);
                                for (size_t i = 0; i < floats.size(); ++i) {
                                  uint16_t half = 0;
                                  std::memcpy(&half, &tensor.bytes[2 * i], sizeof half);
                                  floats[i] = HalfToFloat(half);
                                }
                                const size_t size = io::DTypeSize(dtype);
                                tensor.dtype = dtype;
                                tensor.bytes.resize(size * floats.size());
                                for (size_t i = 0; i < floats.size(); ++i) {
                                  const uint16_t bfloat = FloatToBFloat16(floats[i]);
                                  const void* value =
                                      size == 2 ? static_cast<const void*>(&bfloat) : &floats[i];
                                  std::memcpy(&tensor.bytes[size * i], value, size);
                                }
                              }
                            });
}

// Engines load a model in the one type that its config names.
TEST_F(ConvertTest, PlainWeightsHaveTheTypeOfTheOthersAndTheConfigSaysSo) {
  struct Type {
    io::DType dtype;
    const char* name;
    double tolerance;
  };
  for (const Type& type : std::vector<Type>{{io::DType::kF16, "float16", 1e-4},
                                            {io::DType::kBF16, "bfloat16", 1e-2},
                                            {io::DType::kF32, "float32", 1e-5}}) {
    const std::string packed = At(std::string("packed-") + type.name);
    const std::string plain = At(std::string("plain-") + type.name);
    WriteRetyped("paroquant", packed, type.dtype);
    Convert(packed, plain, "fp16");
    const auto tensors = io::TensorFolder::Open(plain);
    for (const io::TensorView& tensor : tensors.tensors()) {
      EXPECT_EQ(tensor.dtype, type.dtype) << tensor.name;
    }
    EXPECT_EQ(io::ReadJsonFile(fs::path(plain) / "config.json").at("torch_dtype"), type.name);
    EXPECT_NEAR(NllOfIds(plain), NllOfIds(packed), type.tolerance) << type.name;
  }
}

TEST_F(ConvertTest, EveryFormatIsWrittenVerifiedAndEvaluatedAlike) {
  Quantize(At("paroquant"), {"--recipe", "gptq"});
  const double expected = Nll(At("paroquant"));
  for (const char* format : {"awq", "gptq", "compressed-tensors", "fp16"}) {
    Quantize(At(format), {"--recipe", "gptq", "--format", format});
    EXPECT_NEAR(Nll(At(format)), expected, 1e-4) << format;
    EXPECT_EQ(RunCli({"verify", "--model", At(format), "--source", kTinyLlama}).exit_code, 0)
        << format;
  }
}

TEST_F(ConvertTest, RecipesThatTurnInputsAreRefusedForOtherLayouts) {
  for (const char* recipe : {"fast", "block", "awq", "paper"}) {
    const CliResult result = RunCli({"quantize", "--model", kTinyLlama, "--out", At("out"),
                                     "--recipe", recipe, "--format", "awq"});
    EXPECT_EQ(result.exit_code, 4) << recipe;
    EXPECT_THAT(result.error, HasSubstr("without rotations and channel scales"));
    EXPECT_FALSE(fs::exists(At("out")));
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

TEST_F(ConvertTest, TargetsAreChecked) {
  const CliResult loads =
      RunCli({"verify", "--model", GoldenPath("packed/paroquant").string(), "--target", "vllm"});
  EXPECT_EQ(loads.exit_code, 0) << loads.out;
  const CliResult does_not =
      RunCli({"verify", "--model", GoldenPath("packed/gptq").string(), "--target", "mlx"});
  EXPECT_EQ(does_not.exit_code, 6);
  EXPECT_THAT(does_not.out, HasSubstr("use --format paroquant"));
  const CliResult refused = RunCli({"quantize", "--model", kTinyLlama, "--out", At("out"),
                                    "--recipe", "rtn", "--bits", "3", "--target", "vllm"});
  EXPECT_EQ(refused.exit_code, 4);
  EXPECT_THAT(refused.error, HasSubstr("use --bits 4"));
  EXPECT_FALSE(fs::exists(At("out")));
}

}  // namespace
}  // namespace paroquant
