// Models and data that eval-ppl, generate and inspect can't use, and how they say it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "paroquant/base/file.h"
#include "paroquant/io/tensor_folder.h"
#include "tests/cli/cli_process.h"

namespace paroquant {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::kTinyLlama;
using ::testing::Not;
using testing::RunCli;
using testing::RunCliJson;
using testing::TemporaryFolder;

class EvalInputTest : public ::testing::Test {
 protected:
  std::string Write(const std::string& name, const std::string& content) const {
    WriteFile(folder_.path() / name, content);
    return (folder_.path() / name).string();
  }

  // A copy of tiny-llama with a key of config.json set.
  std::string ModelWith(const std::string& key, const io::Json& value) const {
    const fs::path model = folder_.path() / "model";
    fs::remove_all(model);
    fs::copy(kTinyLlama, model);
    io::Json config = io::ReadJsonFile(model / "config.json");
    config[key] = value;
    WriteFile(model / "config.json", config.dump());
    return model.string();
  }

  // A copy of tiny-llama whose tensor begins with a NaN.
  std::string ModelWithNan(const std::string& tensor) const {
    const fs::path model = folder_.path() / "model";
    fs::remove_all(model);
    fs::copy(kTinyLlama, model);
    const fs::path file = model / "model.safetensors";
    std::string bytes = ReadFile(file);
    const auto original = io::TensorFolder::Open(model);
    const auto& found = original.Get(tensor).bytes;
    const std::string needle(reinterpret_cast<const char*>(found.data()), 128);
    const uint16_t nan = 0x7E00;
    std::memcpy(bytes.data() + bytes.find(needle), &nan, sizeof nan);
    fs::remove(file);
    WriteFile(file, bytes);
    return model.string();
  }

  const TemporaryFolder folder_;
};

void ExpectFault(const std::vector<std::string>& words, int exit_code, const std::string& message) {
  const auto result = RunCli(words);
  EXPECT_EQ(result.exit_code, exit_code) << result.error;
  EXPECT_THAT(result.error, HasSubstr(message));
}

TEST_F(EvalInputTest, TensorsWithNanAreNamed) {
  const std::string ids = Write("ids.json", R"({"input_ids": [1, 2, 3, 4]})");
  for (const char* tensor : {"model.layers.1.post_attention_layernorm.weight",
                             "model.layers.0.mlp.down_proj.weight", "model.norm.weight"}) {
    const std::string model = ModelWithNan(tensor);
    ExpectFault({"eval-ppl", "--model", model, "--data", ids}, 3, tensor);
    ExpectFault({"eval-ppl", "--model", kTinyLlama, "--baseline", model, "--data", ids}, 3, tensor);
    ExpectFault({"generate", "--model", model, "--prompt", "The"}, 3, tensor);
    ExpectFault({"inspect", "--model", model}, 3, tensor);
  }
}

TEST_F(EvalInputTest, IdsAreNamedByFileAndPosition) {
  const std::string ids = Write("ids.json", R"({"input_ids": [1, 2, 2048]})");
  ExpectFault({"eval-ppl", "--model", kTinyLlama, "--data", ids}, 3,
              "ids.json: input_ids[2]: expected an id under the vocabulary size 2048, found 2048");
  ExpectFault({"eval-ppl", "--model", kTinyLlama, "--data", ids, "--protocol", "paper-c4"}, 2,
              "token ids in " + ids);
}

TEST_F(EvalInputTest, TextsAndModelsWithoutRoomForAWindowAreInput) {
  const std::string one = Write("one.json", R"({"input_ids": [1]})");
  const std::string two = Write("two.json", R"({"input_ids": [1, 2]})");
  const std::string four = Write("four.json", R"({"input_ids": [1, 2, 3, 4]})");
  const auto words = [&](const std::string& model, const std::string& data) {
    return std::vector<std::string>{"eval-ppl", "--model", model, "--data", data};
  };
  ExpectFault(words(kTinyLlama, one), 3, "one.json: expected at least 2 tokens");
  ExpectFault(words(ModelWith("max_position_embeddings", 1), four), 3, "1 that the model takes");
  auto halves = words(kTinyLlama, two);
  halves.insert(halves.end(), {"--protocol", "llama.cpp"});
  ExpectFault(halves, 3, "two.json: expected windows of more than 2 tokens, found 2 in all");
  halves[4] = four;
  halves.insert(halves.end(), {"--window", "2"});
  ExpectFault(halves, 2, "--window: expected windows of more than 2 tokens");
}

TEST_F(EvalInputTest, BosTokensOutsideTheVocabularyAreRefused) {
  const std::string ids = Write("ids.json", R"({"input_ids": [1, 2, 3]})");
  for (const int64_t bos : {int64_t{2048}, int64_t{-2}, int64_t{1} << 40}) {
    ExpectFault({"eval-ppl", "--model", ModelWith("bos_token_id", bos), "--data", ids}, 3,
                "config.json: bos_token_id: expected an id under vocab_size = 2048");
  }
  for (const io::Json& none : {io::Json(-1), io::Json(nullptr)}) {
    const std::string model = ModelWith("bos_token_id", none);
    EXPECT_EQ(RunCli({"eval-ppl", "--model", model, "--data", ids}).exit_code, 0) << none;
    ExpectFault({"eval-ppl", "--model", model, "--data", ids, "--bos", "always"}, 2,
                "bos_token_id");
  }
}

TEST_F(EvalInputTest, OneWindowHasNoStandardError) {
  const std::string ids = Write("ids.json", R"({"input_ids": [1, 2, 3, 4]})");
  std::vector<std::string> words = {"eval-ppl", "--model",    kTinyLlama, "--data",
                                    ids,        "--baseline", kTinyLlama};
  const auto errors = [&] {
    std::vector<io::Json> values;
    const io::Json result = RunCliJson(words).at("results").at(0);
    for (const char* key : {"nll_stderr", "kl_divergence_stderr", "delta_nll_stderr"}) {
      values.push_back(result.at(key));
    }
    return values;
  };
  for (const io::Json& value : errors()) EXPECT_TRUE(value.is_null());
  EXPECT_THAT(RunCli(words).out, Not(HasSubstr("+-")));
  words.insert(words.end(), {"--window", "2"});
  for (const io::Json& value : errors()) EXPECT_TRUE(value.is_number());
}

TEST_F(EvalInputTest, FilesThatADownloadGotWrongAreRecognised) {
  struct ForeignCase {
    std::string content;
    std::string message;
  };
  for (const ForeignCase& c : std::vector<ForeignCase>{
           {"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n", "git lfs pull"},
           {"<!DOCTYPE html>\n<html></html>", "a web page"},
           {"\n <HTML></HTML>", "a web page"}}) {
    for (const char* name : {"model.safetensors", "config.json"}) {
      const std::string model = ModelWith("bos_token_id", nullptr);
      WriteFile(fs::path(model) / name, c.content);
      ExpectFault({"inspect", "--model", model}, 3, c.message);
    }
  }
}

TEST_F(EvalInputTest, CalibrationTextThatIsTooShortCountsHeldOutSequences) {
  const std::string text = Write("short.txt", "Only a few words.");
  ExpectFault({"quantize", "--model", kTinyLlama, "--out", (folder_.path() / "out").string(),
               "--calib", text, "--calib-sequences", "4", "--sequence-length", "16"},
              3, "12 sequences of 16 (4 to calibrate and 8 held out)");
}

}  // namespace
}  // namespace paroquant
