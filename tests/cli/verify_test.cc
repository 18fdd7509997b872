// What verify finds in checkpoints that were changed after they were written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>

#include "paroquant/base/file.h"
#include "paroquant/io/output_folder.h"
#include "paroquant/io/safetensors_writer.h"
#include "paroquant/io/tensor_folder.h"
#include "tests/cli/cli_process.h"
#include "tests/testing/edited_model.h"

namespace paroquant {
namespace {

namespace fs = std::filesystem;
using testing::GoldenPath;
using ::testing::HasSubstr;
using testing::kTinyLlama;
using testing::RunCli;
using testing::RunCliJson;
using testing::TemporaryFolder;

// Adds a tensor of one half to the only file of weights.
void AddTensor(const fs::path& model, const std::string& name) {
  const fs::path scratch = model / "scratch";
  {
    const auto folder = io::TensorFolder::Open(model);
    std::vector<io::TensorSpec> specs;
    for (const io::TensorView& t : folder.tensors()) specs.push_back({t.name, t.dtype, t.shape});
    specs.push_back({name, io::DType::kF16, {1}});
    io::OutputFolder out = io::OutputFolder::Create(scratch, false);
    io::SafetensorsWriter writer(out, specs, uint64_t{1} << 40, folder.metadata());
    for (const io::TensorView& tensor : folder.tensors()) writer.Write(tensor.name, tensor.bytes);
    const std::array<std::byte, 2> zero{};
    writer.Write(name, zero);
    writer.Finish();
    out.Commit();
  }
  fs::rename(scratch / "model.safetensors", model / "model.safetensors");
  fs::remove_all(scratch);
}

class VerifyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::copy(kTinyLlama, source_);
    ASSERT_EQ(Quantize().exit_code, 0);
  }

  testing::CliResult Quantize() const {
    return RunCli({"quantize", "--model", source_.string(), "--out", out_.string(), "--recipe",
                   "rtn", "--overwrite"});
  }

  testing::CliResult Verify(bool with_source) const {
    std::vector<std::string> words = {"verify", "--model", out_.string()};
    if (with_source) words.insert(words.end(), {"--source", source_.string()});
    return RunCli(words);
  }

  const TemporaryFolder folder_;
  const fs::path source_ = folder_.path() / "source";
  const fs::path out_ = folder_.path() / "out";
};

TEST_F(VerifyTest, SurplusTensorsAreFound) {
  struct SurplusCase {
    std::string name;
    bool found_alone;
  };
  for (const SurplusCase& c :
       std::vector<SurplusCase>{{"model.layers.3.mlp.up_proj.weight", true},
                                {"lm_head.qweight", true},
                                {"model.layers.0.mlp.other_proj.theta", true},
                                {"model.layers.0.self_attn.rotary_emb.inv_freq", false}}) {
    ASSERT_EQ(Quantize().exit_code, 0);
    AddTensor(out_, c.name);
    const auto alone = Verify(/*with_source=*/false);
    EXPECT_EQ(alone.exit_code, c.found_alone ? 6 : 0) << alone.out;
    const auto with_source = Verify(/*with_source=*/true);
    EXPECT_EQ(with_source.exit_code, 6) << c.name;
    EXPECT_THAT(with_source.out, HasSubstr(c.name));
  }
}

TEST_F(VerifyTest, TensorsBeyondTheLayersAreNotedAndCarriedOver) {
  AddTensor(source_, "model.layers.3.mlp.up_proj.weight");
  const auto result = Quantize();
  EXPECT_EQ(result.exit_code, 0) << result.error;
  EXPECT_THAT(result.error, HasSubstr("num_hidden_layers = 3"));
  const auto verified = Verify(/*with_source=*/true);
  EXPECT_EQ(verified.exit_code, 0) << verified.out;
}

TEST_F(VerifyTest, FilesThatDifferFromTheSourceAreFound) {
  struct FileCase {
    std::string message;
    std::function<void(const fs::path&)> change;
  };
  const auto edit = [](const fs::path& out, const std::function<void(io::Json&)>& change) {
    io::Json config = io::ReadJsonFile(out / "config.json");
    change(config);
    WriteFile(out / "config.json", config.dump());
  };
  for (const FileCase& c : std::vector<FileCase>{
           {"tokenizer.json: expected the source's bytes",
            [](const fs::path& out) { WriteFile(out / "tokenizer.json", "{}"); }},
           {"generation_config.json: expected the source's file, found none",
            [](const fs::path& out) { fs::remove(out / "generation_config.json"); }},
           {"config.json: rope_theta",
            [&](const fs::path& out) {
              edit(out, [](io::Json& config) { config["rope_theta"] = 123.0; });
            }},
           {"config.json: surplus: expected the source's nothing, found 1",
            [&](const fs::path& out) {
              edit(out, [](io::Json& config) { config["surplus"] = 1; });
            }}}) {
    ASSERT_EQ(Quantize().exit_code, 0);
    c.change(out_);
    const auto result = Verify(/*with_source=*/true);
    EXPECT_EQ(result.exit_code, 6) << c.message;
    EXPECT_THAT(result.out, HasSubstr(c.message));
    EXPECT_EQ(Verify(/*with_source=*/false).exit_code, 0) << c.message;
  }
}

// Tokenizers load them by name, and chats with tools need one.
TEST_F(VerifyTest, AdditionalChatTemplatesAreCarriedOver) {
  const fs::path templates = "additional_chat_templates";
  fs::create_directory(source_ / templates);
  WriteFile(source_ / templates / "tool_use.jinja", "{{ tools }}");
  WriteFile(source_ / "blob", "{{ rag }}");  // as hubs keep files: a link to a blob
  fs::create_symlink(source_ / "blob", source_ / templates / "rag.jinja");
  WriteFile(source_ / templates / "notes.txt", "x");
  const auto result = Quantize();
  EXPECT_EQ(result.exit_code, 0) << result.error;
  EXPECT_THAT(result.error, HasSubstr("additional_chat_templates/notes.txt (no chat template)"));
  EXPECT_EQ(ReadFile(out_ / templates / "tool_use.jinja"), "{{ tools }}");
  EXPECT_EQ(ReadFile(out_ / templates / "rag.jinja"), "{{ rag }}");
  EXPECT_FALSE(fs::is_symlink(out_ / templates / "rag.jinja"));
  EXPECT_FALSE(fs::exists(out_ / templates / "notes.txt"));
  EXPECT_EQ(Verify(/*with_source=*/true).exit_code, 0);
  WriteFile(out_ / templates / "tool_use.jinja", "{{ others }}");
  EXPECT_THAT(Verify(/*with_source=*/true).out, HasSubstr("tool_use.jinja"));
}

// A link could lead anywhere, to itself too.
TEST_F(VerifyTest, LinkedFoldersOfTemplatesAreLeft) {
  fs::create_directory_symlink("/", source_ / "additional_chat_templates");
  const auto result = Quantize();
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.error, HasSubstr("not carried over: additional_chat_templates (a folder)"));
}

TEST_F(VerifyTest, LinksToThemselvesAreLeft) {
  fs::create_symlink("notes.txt", source_ / "notes.txt");
  fs::create_symlink("README.md", source_ / "README.md");
  fs::create_symlink("chat_template.jinja", source_ / "chat_template.jinja");
  const auto result = Quantize();
  EXPECT_EQ(result.exit_code, 0) << result.error;
  EXPECT_THAT(result.error, HasSubstr("not carried over: notes.txt (no regular file)"));
  EXPECT_EQ(Verify(/*with_source=*/true).exit_code, 0);
}

TEST_F(VerifyTest, FoldersInsideTheSourceAreNoted) {
  fs::create_directory(source_ / "onnx");
  const auto result = Quantize();
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.error, HasSubstr("not carried over: onnx (a folder)"));
  EXPECT_EQ(Verify(/*with_source=*/true).exit_code, 0);
}

// One sentence, not a problem for each of the weights.
TEST_F(VerifyTest, ASourceOfAnotherShapeIsNamedAsSuch) {
  const std::string other = GoldenPath("models/llama_bf16").string();
  const auto result = RunCli({"verify", "--model", out_.string(), "--source", other});
  EXPECT_EQ(result.exit_code, 6);
  EXPECT_THAT(
      result.out,
      HasSubstr(other + ": expected the model that " + out_.string() +
                " was made from, found one of num_hidden_layers 2, where its config.json has 3"));
  EXPECT_THAT(result.out, HasSubstr(": 1 problem\n"));
}

TEST_F(VerifyTest, ASourceWithOtherWeightsIsNamedAsSuch) {
  const fs::path other = folder_.path() / "other";
  testing::WriteEditedModel(kTinyLlama, other, [](std::vector<testing::EditableTensor>& tensors) {
    for (testing::EditableTensor& tensor : tensors) {
      std::ranges::reverse(tensor.bytes);  // of halves; a damaged one is as good as any
      for (std::byte& byte : tensor.bytes) byte &= std::byte{0x3F};  // small and finite
    }
  });
  const auto result = RunCli({"verify", "--model", out_.string(), "--source", other.string()});
  EXPECT_EQ(result.exit_code, 6);
  EXPECT_THAT(result.out, HasSubstr("found one of which all 21 linear layers differ (model.layers"
                                    ".0.self_attn.q_proj: expected the reported relative weight "
                                    "error 0.0"));
  EXPECT_THAT(result.out, HasSubstr(": 1 problem\n"));
}

// A converted checkpoint is as near to the source as the one that it was made from.
TEST_F(VerifyTest, ConvertedCheckpointsAreComparedAsClosely) {
  for (const std::string format : {"fp16", "awq"}) {
    const fs::path converted = folder_.path() / format;
    RunCliJson(
        {"convert", "--model", out_.string(), "--out", converted.string(), "--format", format});
    const std::vector<std::string> verify = {"verify", "--model", converted.string(), "--source",
                                             source_.string()};
    const auto result = RunCli(verify);
    EXPECT_EQ(result.exit_code, 0) << format << result.out;
    // Another weight within what its report allows, so that only the checksum tells.
    const auto tensors = io::TensorFolder::Open(converted);
    const io::TensorView& tensor = tensors.Get("model.layers.1.mlp.up_proj." +
                                               std::string(format == "awq" ? "qweight" : "weight"));
    std::string bytes = ReadFile(converted / "model.safetensors");
    const std::string part(reinterpret_cast<const char*>(tensor.bytes.data()), 64);
    bytes[bytes.find(part)] ^= 1;
    WriteFile(converted / "model.safetensors", bytes);
    EXPECT_THAT(RunCli(verify).out, HasSubstr("model.layers.1.mlp.up_proj: expected the checksum"));
  }
}

TEST_F(VerifyTest, FoldedScalesAreTakenBackInAnyLayout) {
  std::vector<std::string> words = testing::QuantizeTinyLlama(
      out_, 4, 128, {"--recipe", "awq", "--format", "awq", "--overwrite"});
  ASSERT_EQ(RunCli(words).exit_code, 0);
  for (const std::string format : {"fp16", "compressed-tensors"}) {
    const std::string converted = (folder_.path() / format).string();
    RunCliJson({"convert", "--model", out_.string(), "--out", converted, "--format", format});
    const auto result = RunCli({"verify", "--model", converted, "--source", kTinyLlama});
    EXPECT_EQ(result.exit_code, 0) << format << result.out;
  }
}

// It would get checksums that fit.
TEST_F(VerifyTest, DamageIsNotConverted) {
  std::string bytes = ReadFile(out_ / "model.safetensors");
  for (const std::string name : {"model.layers.1.mlp.up_proj.qweight", "model.norm.weight"}) {
    const auto tensors = io::TensorFolder::Open(out_);
    const io::TensorView& tensor = tensors.Get(name);
    const std::string part(reinterpret_cast<const char*>(tensor.bytes.data()), 128);
    const size_t place = bytes.find(part) + 64;
    bytes[place] ^= 1;
    WriteFile(out_ / "model.safetensors", bytes);
    bytes[place] ^= 1;
    const std::string converted = (folder_.path() / "converted").string();
    const auto result =
        RunCli({"convert", "--model", out_.string(), "--out", converted, "--format", "fp16"});
    EXPECT_EQ(result.exit_code, 3) << name;
    EXPECT_THAT(result.error, HasSubstr(name.substr(0, name.rfind('.')))) << result.error;
    EXPECT_FALSE(fs::exists(converted));
  }
}

// Without the source, too: of what was written each bit counts.
TEST_F(VerifyTest, AChangedTensorBesideTheLayersIsFound) {
  const fs::path file = out_ / "model.safetensors";
  const std::string whole = ReadFile(file);
  for (const std::string name : {"model.norm.weight", "model.embed_tokens.weight"}) {
    const auto tensors = io::TensorFolder::Open(out_);
    const io::TensorView& tensor = tensors.Get(name);
    const std::string part(reinterpret_cast<const char*>(tensor.bytes.data()), 128);
    std::string bytes = whole;
    bytes[bytes.find(part) + 64] ^= 1;
    WriteFile(file, bytes);
    const auto result = Verify(/*with_source=*/false);
    EXPECT_EQ(result.exit_code, 6);
    EXPECT_THAT(result.out, HasSubstr(name + ": expected the checksum"));
  }
  WriteFile(file, whole);
  EXPECT_EQ(Verify(/*with_source=*/false).exit_code, 0);
}

TEST_F(VerifyTest, WhatItCannotTellItSays) {
  EXPECT_EQ(Verify(/*with_source=*/false).error.find("warning"), std::string::npos);
  fs::remove(out_ / "tokenizer.json");
  fs::remove(out_ / "quantization_report.json");
  const auto result = Verify(/*with_source=*/false);
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.error, HasSubstr("no tokenizer.json"));
  EXPECT_THAT(result.error, HasSubstr("nothing tells whether its bytes are those"));
}

TEST_F(VerifyTest, ReportsOnACheckpointAreNotCarriedOver) {
  ASSERT_EQ(RunCli({"quantize", "--model", source_.string(), "--out", out_.string(), "--recipe",
                    "rtn", "--overwrite", "--report", (out_ / "report.html").string()})
                .exit_code,
            0);
  const fs::path converted = folder_.path() / "converted";
  const auto result = RunCli(
      {"convert", "--model", out_.string(), "--out", converted.string(), "--format", "fp16"});
  EXPECT_THAT(result.error, HasSubstr("not carried over: report.html (a report on this"));
  EXPECT_FALSE(fs::exists(converted / "report.html"));
  EXPECT_THAT(ReadFile(converted / "README.md"), HasSubstr("before converting"));
}

TEST_F(VerifyTest, NoRunOfQuantizeTakesAConvertedCheckpointForItsOwn) {
  const std::string converted = (folder_.path() / "converted").string();
  RunCliJson({"convert", "--model", out_.string(), "--out", converted, "--format", "awq"});
  const auto result = RunCli(
      {"quantize", "--model", source_.string(), "--out", converted, "--recipe", "rtn", "--resume"});
  EXPECT_EQ(result.exit_code, 2) << result.error;
  EXPECT_THAT(result.error, HasSubstr("expected an empty or new folder"));
}

}  // namespace
}  // namespace paroquant
