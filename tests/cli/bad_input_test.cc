#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>

#include "paroquant/base/file.h"
#include "paroquant/io/tensor_folder.h"
#include "tests/cli/cli_process.h"

namespace paroquant {
namespace {

namespace fs = std::filesystem;
using testing::GoldenPath;
using testing::kTinyLlama;
using testing::RunCli;
using testing::TemporaryFolder;

struct UsageCase {
  std::vector<std::string> arguments;
  int exit_code;
  std::string mentions;
};

TEST(BadInputTest, WrongUsageIsExplained) {
  const std::vector<UsageCase> cases = {
      {{}, 2, "quantize"},
      {{"quantise"}, 2, "Did you mean quantize?"},
      {{"quantize", "--modle", "x"}, 2, "Did you mean --model?"},
      {{"quantize", "--model", "x"}, 2, "--out"},
      {{"quantize", "--model", kTinyLlama, "--out", "x", "--bits", "5"}, 2, "2, 3, 4, 8"},
      {{"quantize", "--model", kTinyLlama, "--out", "x", "--recipe", "magic"}, 2, "fast"},
      {{"quantize", "--model", kTinyLlama, "--out", "x", "--recipe", "magic.json"},
       3,
       "magic.json"},
      {{"quantize", "--model", kTinyLlama, "--out", "x", "--set", "dampin=1"},
       2,
       "Did you mean \"damping\"?"},
      {{"quantize", "--model", kTinyLlama, "--out", "x", "--rotations", "17"}, 2, "1 and 16"},
      {{"quantize", "--model", kTinyLlama, "--out", kTinyLlama + "/out", "--recipe", "rtn"},
       2,
       "inside"},
      {{"quantize", "--model", kTinyLlama, "--out", "x", "--skip", "nothing_like_this", "--recipe",
        "rtn"},
       2,
       "matches none"},
      {{"quantize", "--model", kTinyLlama, "--out", "/dev/null/x", "--recipe", "rtn"},
       5,
       "/dev/null"},
      {{"eval-ppl", "--model", kTinyLlama, "--data", "no-such-dataset"}, 3, "no-such-dataset"},
      {{"eval-ppl", "--model", "no-such-model", "--data", "x"}, 3, "config.json"},
      {{"tokenize", "--model", kTinyLlama}, 2, "--text"},
  };
  for (const UsageCase& c : cases) {
    const auto result = RunCli(c.arguments);
    EXPECT_EQ(result.exit_code, c.exit_code) << result.error;
    EXPECT_NE(result.error.find(c.mentions), std::string::npos) << result.error;
  }
  EXPECT_FALSE(fs::exists(kTinyLlama + "/out"));
}

// A copy of a model that `damage` has spoilt.
struct ModelCase {
  std::string name;
  std::function<void(const fs::path&)> damage;
  int exit_code;
  std::string mentions;
};

// Sets the first element of a half tensor to NaN.
void WriteNan(const fs::path& model) {
  const fs::path file = model / "model.safetensors";
  std::string bytes = ReadFile(file);
  const auto folder = io::TensorFolder::Open(model);
  const auto& tensor = folder.Get("model.layers.1.mlp.up_proj.weight");
  const std::string needle(reinterpret_cast<const char*>(tensor.bytes.data()), 64);
  const uint16_t nan = 0x7E00;
  std::memcpy(bytes.data() + bytes.find(needle), &nan, sizeof nan);
  fs::remove(file);
  WriteFile(file, bytes);
}

void EditConfig(const fs::path& model, const std::function<void(io::Json&)>& edit) {
  io::Json config = io::ReadJsonFile(model / "config.json");
  edit(config);
  WriteFile(model / "config.json", config.dump());
}

TEST(BadInputTest, SpoiltModelsAreRefusedAndLeaveNothingBehind) {
  const std::vector<ModelCase> cases = {
      {"empty folder",
       [](const fs::path& m) {
         fs::remove_all(m);
         fs::create_directory(m);
       },
       3, "config.json"},
      {"no config", [](const fs::path& m) { fs::remove(m / "config.json"); }, 3, "config.json"},
      {"no weights", [](const fs::path& m) { fs::remove(m / "model.safetensors"); }, 3,
       "model.safetensors"},
      {"truncated weights",
       [](const fs::path& m) { fs::resize_file(m / "model.safetensors", 1'000'000); }, 3,
       "model.safetensors"},
      {"NaN", WriteNan, 3, "model.layers.1.mlp.up_proj.weight"},
      {"broken config", [](const fs::path& m) { WriteFile(m / "config.json", "{\"model_type\""); },
       3, "JSON"},
      {"unknown family",
       [](const fs::path& m) { EditConfig(m, [](io::Json& c) { c["model_type"] = "mamba"; }); }, 4,
       "llama, mistral, mixtral"},
      {"wrong shape",
       [](const fs::path& m) { EditConfig(m, [](io::Json& c) { c["intermediate_size"] = 512; }); },
       3, "gate_proj"},
      {"heads",
       [](const fs::path& m) { EditConfig(m, [](io::Json& c) { c["num_key_value_heads"] = 3; }); },
       3, "num_key_value_heads"},
      {"already quantized",
       [](const fs::path& m) {
         EditConfig(m, [](io::Json& c) {
           c["quantization_config"] = {
               {"quant_method", "paroquant"}, {"bits", 4}, {"group_size", 128}, {"krot", 8}};
         });
       },
       3, "16-bit"},
  };
  for (const ModelCase& c : cases) {
    const TemporaryFolder folder;
    const fs::path model = folder.path() / "model";
    fs::copy(kTinyLlama, model);
    c.damage(model);
    const fs::path out = folder.path() / "out";
    const auto result =
        RunCli({"quantize", "--model", model.string(), "--out", out.string(), "--recipe", "rtn"});
    EXPECT_EQ(result.exit_code, c.exit_code) << c.name << ": " << result.error;
    EXPECT_NE(result.error.find(c.mentions), std::string::npos) << c.name << ": " << result.error;
    EXPECT_FALSE(fs::exists(out)) << c.name;
  }
}

TEST(BadInputTest, IncompleteShardsAreNamed) {
  const std::string index = "model.safetensors.index.json";
  const std::string shard = "model-00002-of-00003.safetensors";
  const auto edit_index = [&](const fs::path& model, const std::function<void(io::Json&)>& edit) {
    io::Json json = io::ReadJsonFile(model / index);
    edit(json["weight_map"]);
    WriteFile(model / index, json.dump());
  };
  const std::vector<ModelCase> cases = {
      {"missing shard", [&](const fs::path& m) { fs::remove(m / shard); }, 3, shard},
      {"truncated shard", [&](const fs::path& m) { fs::resize_file(m / shard, 200); }, 3, shard},
      {"empty shard", [&](const fs::path& m) { fs::resize_file(m / shard, 0); }, 3, shard},
      {"tensor that its shard lacks",
       [&](const fs::path& m) {
         edit_index(m, [&](io::Json& map) { map["model.extra.weight"] = shard; });
       },
       3, "\"model.extra.weight\" in " + shard},
      {"names of another family",
       [&](const fs::path& m) {
         edit_index(m, [&](io::Json& map) {
           map = {{"transformer.h.0.attn.c_attn.weight", shard}};
         });
       },
       3, "transformer.h.0.attn.c_attn.weight"},
      {"tensor that the index lacks",
       [&](const fs::path& m) {
         edit_index(m, [](io::Json& map) { map.erase("model.layers.1.mlp.up_proj.weight"); });
       },
       3, "model.layers.1.mlp.up_proj.weight"},
      {"shard outside the folder",
       [&](const fs::path& m) {
         edit_index(m, [](io::Json& map) { map["model.norm.weight"] = "../model.safetensors"; });
       },
       3, "beside the index"},
      {"broken index", [&](const fs::path& m) { fs::resize_file(m / index, 100); }, 3, index},
  };
  for (const ModelCase& c : cases) {
    const TemporaryFolder folder;
    const fs::path model = folder.path() / "model";
    fs::copy(GoldenPath("models/llama_sharded3"), model);
    c.damage(model);
    const fs::path out = folder.path() / "out";
    const auto result =
        RunCli({"quantize", "--model", model.string(), "--out", out.string(), "--recipe", "rtn"});
    EXPECT_EQ(result.exit_code, c.exit_code) << c.name << ": " << result.error;
    EXPECT_NE(result.error.find(c.mentions), std::string::npos) << c.name << ": " << result.error;
    EXPECT_FALSE(fs::exists(out)) << c.name;
  }
}

TEST(BadInputTest, BadOverridesAreExplained) {
  const TemporaryFolder folder;
  const std::string out = (folder.path() / "out").string();
  for (const char* text :
       {"down_proj", ":bits=8", "down_proj:", "down_proj:bits",
        "down_proj:bits=", "down_proj:bits=eight", "down_proj:bits=8.5",
        "down_proj:bits=99999999999", "down_proj:bits=5", "down_proj:group-size=48",
        "down_proj:size=64", "down_proj:bits=8;group-size=64", "down_proj:bits=8,",
        "down_proj:bits=8,bits=4", "down_proj:,bits=8", "(:bits=8", "nothing_like_this:bits=8"}) {
    const auto result = RunCli(
        {"quantize", "--model", kTinyLlama, "--out", out, "--recipe", "rtn", "--override", text});
    EXPECT_EQ(result.exit_code, 2) << text << ": " << result.error;
    EXPECT_NE(result.error.find("--override"), std::string::npos) << result.error;
    EXPECT_FALSE(fs::exists(out)) << text;
  }
}

TEST(BadInputTest, ConflictingOverridesAreNamedWithTheLayer) {
  const TemporaryFolder folder;
  const std::string out = (folder.path() / "out").string();
  const auto result = RunCli({"quantize", "--model", kTinyLlama, "--out", out, "--recipe", "rtn",
                              "--override", "mlp:bits=8", "--override", "layers.1.mlp.up:bits=2"});
  EXPECT_EQ(result.exit_code, 2) << result.error;
  for (const char* part :
       {"model.layers.1.mlp.up_proj", "8 by \"mlp\"", "2 by \"layers.1.mlp.up\""}) {
    EXPECT_NE(result.error.find(part), std::string::npos) << result.error;
  }
  EXPECT_FALSE(fs::exists(out));
}

// OUT would be cleared before it is written: the source must not be in reach, not even by a link.
TEST(BadInputTest, SourceIsNeverOverwritten) {
  const TemporaryFolder folder;
  const fs::path model = folder.path() / "model";
  fs::copy(kTinyLlama, model);
  fs::create_directory_symlink(model, folder.path() / "link");
  const auto before = testing::FolderContent(model);
  for (const char* out :
       {"model", "model/", "model/out", "model/a/../b", "link", "link/out", "new/../model/out"}) {
    const auto result = RunCli({"quantize", "--model", model.string(), "--out",
                                (folder.path() / out).string(), "--recipe", "rtn", "--overwrite"});
    EXPECT_EQ(result.exit_code, 2) << out << ": " << result.error;
    EXPECT_NE(result.error.find("inside"), std::string::npos) << result.error;
    EXPECT_EQ(testing::FolderContent(model), before) << out;
  }
}

TEST(BadInputTest, UnfitCalibrationFilesAreRefused) {
  const TemporaryFolder folder;
  const std::vector<std::pair<std::string, std::string>> files = {
      {"empty.txt", ""},
      {"binary.txt", std::string("\0\1\2\3", 4)},
      {"short.txt", "Only a few words."},
      {"broken.jsonl", "{\"text\": \"fine\"}\n{\"text\": \n"},
      {"other.jsonl", "{\"body\": \"no text here\"}\n"},
      {"empty.jsonl", ""},
      {"none.json", "[]"},
      {"no-gzip.jsonl.gz", "{\"text\": \"not compressed\"}\n"},
      {"cut.txt.gz", std::string("\x1f\x8b\x08\0\0\0\0\0\0\x03\x4b\x4c", 12)},
      {"empty.txt.gz", ""},
  };
  for (const auto& [name, content] : files) {
    const fs::path file = folder.path() / name;
    WriteFile(file, content);
    const auto result = RunCli({"quantize", "--model", kTinyLlama, "--out",
                                (folder.path() / "out").string(), "--calib", file.string()});
    EXPECT_EQ(result.exit_code, 3) << name << ": " << result.error;
    EXPECT_NE(result.error.find(name), std::string::npos) << result.error;
    EXPECT_FALSE(fs::exists(folder.path() / "out")) << name;
  }
}

TEST(BadInputTest, IdsOverTheVocabularyAreRefused) {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "ids.json";
  WriteFile(file, R"({"input_ids": [1, 2, 2048]})");
  const auto result = RunCli({"eval-ppl", "--model", kTinyLlama, "--data", file.string()});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_NE(result.error.find("2048"), std::string::npos) << result.error;
}

}  // namespace
}  // namespace paroquant
