// quantize --format and --target: other layouts than our own, and what does not fit them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "paroquant/base/half.h"
#include "paroquant/io/tensor_folder.h"
#include "tests/cli/cli_process.h"
#include "tests/cli/layout_fixture.h"
#include "tests/testing/edited_model.h"

namespace paroquant {
namespace {

namespace fs = std::filesystem;
using testing::CliResult;
using testing::GoldenPath;
using ::testing::HasSubstr;
using testing::kTinyLlama;
using testing::RunCli;

using QuantizeFormatTest = testing::LayoutTest;

TEST_F(QuantizeFormatTest, EveryFormatIsWrittenVerifiedAndEvaluatedAlike) {
  Quantize(At("paroquant"), {"--recipe", "gptq"});
  const double expected = Nll(At("paroquant"));
  for (const char* format : {"awq", "gptq", "compressed-tensors", "fp16"}) {
    Quantize(At(format), {"--recipe", "gptq", "--format", format});
    EXPECT_NEAR(Nll(At(format)), expected, 1e-4) << format;
    EXPECT_EQ(RunCli({"verify", "--model", At(format), "--source", kTinyLlama}).exit_code, 0)
        << format;
  }
}

// As loaders of GPTQ's first version, and compressed-tensors without zero points, want them.
TEST_F(QuantizeFormatTest, SymmetricCodesAreWrittenAsEachLayoutHasThem) {
  const auto settings = [&](const std::string& format) {
    Quantize(At(format), {"--recipe", "gptq", "--set", "symmetric=true", "--format", format});
    return io::ReadJsonFile(fs::path(At(format)) / "config.json").at("quantization_config");
  };
  const io::Json gptq = settings("gptq");
  EXPECT_EQ(gptq.at("checkpoint_format"), "gptq");
  EXPECT_EQ(gptq.at("sym"), true);
  EXPECT_EQ(settings("gptq_v2").at("sym"), true);
  const io::Json ct = settings("compressed-tensors");
  EXPECT_EQ(ct.at("config_groups").at("group_0").at("weights").at("symmetric"), true);
  EXPECT_EQ(settings("awq").at("zero_point"), true);  // written out, as AutoAWQ reads them
  const auto without = io::TensorFolder::Open(At("compressed-tensors"));
  for (const io::TensorView& tensor : without.tensors()) {
    EXPECT_FALSE(tensor.name.ends_with("zero_point")) << tensor.name;
  }
  const auto holds_only = [&](const std::string& format, uint32_t word) {
    const auto folder = io::TensorFolder::Open(At(format));
    for (const io::TensorView& tensor : folder.tensors()) {
      if (!tensor.name.ends_with(".qzeros")) continue;
      std::vector<uint32_t> words(tensor.bytes.size() / sizeof(word));
      std::memcpy(words.data(), tensor.bytes.data(), tensor.bytes.size());
      EXPECT_TRUE(std::ranges::all_of(words, [&](uint32_t w) { return w == word; })) << format;
    }
  };
  holds_only("gptq", 0x77777777U);
  holds_only("gptq_v2", 0x88888888U);
  holds_only("awq", 0x88888888U);
  for (const char* format : {"gptq", "gptq_v2", "awq", "compressed-tensors"}) {
    EXPECT_NEAR(Nll(At(format)), Nll(At("gptq")), 1e-6) << format;
    EXPECT_EQ(RunCli({"verify", "--model", At(format), "--source", kTinyLlama, "--target", "vllm"})
                  .exit_code,
              0)
        << format;
  }
  EXPECT_EQ(RunCli({"verify", "--model", At("gptq"), "--target", "gptqmodel"}).exit_code, 0);
}

// Engines that take symmetric GPTQ only: said before the work begins.
TEST_F(QuantizeFormatTest, TargetsThatWantSymmetricCodesSaySo) {
  std::vector<std::string> options = {"quantize", "--model",  kTinyLlama, "--out",
                                      At("out"),  "--recipe", "rtn",      "--format",
                                      "gptq",     "--target", "vllm"};
  const CliResult refused = RunCli(options);
  EXPECT_EQ(refused.exit_code, 4);
  EXPECT_THAT(refused.error, HasSubstr("--set symmetric=true"));
  EXPECT_FALSE(fs::exists(At("out")));
  options.insert(options.end(), {"--set", "symmetric=true"});
  EXPECT_EQ(RunCli(options).exit_code, 0);
}

// Groups from nine tenths of the least half to the greatest: the last step lies beyond F16.
TEST_F(QuantizeFormatTest, PlainWeightsBeyondF16AreRefusedByName) {
  const auto write = [&](io::DType dtype) {
    testing::WriteEditedModel(
        GoldenPath("models/llama_untied_bias"), At("model"),
        [&](std::vector<testing::EditableTensor>& tensors) {
          for (testing::EditableTensor& tensor : tensors) {
            if (tensor.name.ends_with("layers.0.self_attn.q_proj.weight")) {
              for (size_t i = 0; i < 64; ++i) {
                const uint16_t end = FloatToHalf(i % 2 == 0 ? kMaxHalf : -0.9F * kMaxHalf);
                std::memcpy(&tensor.bytes[2 * i], &end, sizeof end);
              }
            }
            testing::Retype(dtype, tensor);
          }
        },
        [](io::Json&) {});
  };
  const std::vector<std::string> quantize = {"quantize", "--model",  At("model"), "--out",
                                             At("out"),  "--recipe", "rtn",       "--group-size",
                                             "32",       "--format", "fp16"};
  write(io::DType::kF16);
  const CliResult refused = RunCli(quantize);
  EXPECT_EQ(refused.exit_code, 4);
  EXPECT_THAT(refused.error, HasSubstr("model.layers.0.self_attn.q_proj"));
  EXPECT_THAT(refused.error, HasSubstr("more than F16 holds"));
  EXPECT_FALSE(fs::exists(At("out")));

  std::vector<std::string> packed = quantize;
  packed.back() = "paroquant";
  packed[4] = At("packed");
  ASSERT_EQ(RunCli(packed).exit_code, 0);
  const CliResult kept =
      RunCli({"convert", "--model", At("packed"), "--out", At("out"), "--format", "fp16"});
  EXPECT_EQ(kept.exit_code, 4);
  EXPECT_THAT(kept.error, HasSubstr("model.layers.0.self_attn.q_proj"));
  EXPECT_THAT(kept.error, ::testing::Not(HasSubstr("fp16 holds every layer")));
  EXPECT_FALSE(fs::exists(At("out")));

  fs::remove_all(At("model"));
  write(io::DType::kBF16);  // which has the range
  EXPECT_EQ(RunCli(quantize).exit_code, 0);
  EXPECT_EQ(RunCli({"verify", "--model", At("out"), "--source", At("model")}).exit_code, 0);
}

// AWQ's channel scales go into norms and rows, and the loss stays what it is where layers keep
// them.
TEST_F(QuantizeFormatTest, ActivationAwareScalesAreFoldedWhereTheLayoutHasNoPlace) {
  Quantize(At("rtn"), {"--recipe", "rtn", "--format", "awq"});
  for (const char* format : {"awq", "gptq", "compressed-tensors"}) {
    const io::Json summary = Quantize(At(format), {"--recipe", "awq", "--format", format});
    EXPECT_THAT(summary.at("notes").dump(), HasSubstr("folded into"));
    EXPECT_LT(Nll(At(format)), Nll(At("rtn"))) << format;
    EXPECT_EQ(RunCli({"verify", "--model", At(format), "--source", kTinyLlama}).exit_code, 0)
        << format;
  }
}

TEST_F(QuantizeFormatTest, RecipesThatTurnInputsAreRefusedForOtherLayouts) {
  for (const char* recipe : {"fast", "block", "paper"}) {
    const CliResult result = RunCli({"quantize", "--model", kTinyLlama, "--out", At("out"),
                                     "--recipe", recipe, "--format", "awq"});
    EXPECT_EQ(result.exit_code, 4) << recipe;
    EXPECT_THAT(result.error, HasSubstr("a recipe without rotations"));
    EXPECT_FALSE(fs::exists(At("out")));
  }
}

TEST_F(QuantizeFormatTest, TargetsAreChecked) {
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
