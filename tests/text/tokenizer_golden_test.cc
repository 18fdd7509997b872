// Ids and texts that the tokenizers' original implementations gave.
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "paroquant/base/file.h"
#include "paroquant/io/json.h"
#include "paroquant/text/tokenizer.h"
#include "tests/testing/paths.h"

namespace paroquant::text {
namespace {

using Ids = std::vector<int32_t>;

class StyleTest : public ::testing::TestWithParam<const char*> {
 protected:
  const std::filesystem::path folder_ =
      testing::GoldenPath(std::filesystem::path("tokenizers") / GetParam());
  const Tokenizer tokenizer_ = Tokenizer::Load(folder_ / "tokenizer.json");
  const io::Json vectors_ = io::ReadJsonFile(folder_ / "vectors.json");
};

TEST_P(StyleTest, EncodesAsTheReference) {
  for (const io::Json& vector : vectors_) {
    const auto text = vector.at("text").get<std::string>();
    EXPECT_EQ(tokenizer_.Encode(text, false), vector.at("ids").get<Ids>()) << text;
    EXPECT_EQ(tokenizer_.Encode(text, true), vector.at("ids_special").get<Ids>()) << text;
  }
}

TEST_P(StyleTest, DecodesAsTheReference) {
  for (const io::Json& vector : vectors_) {
    const auto ids = vector.at("ids").get<Ids>();
    EXPECT_EQ(tokenizer_.Decode(ids, false), vector.at("decoded").get<std::string>());
  }
}

INSTANTIATE_TEST_SUITE_P(Goldens, StyleTest,
                         ::testing::Values("gemma_style", "gpt2_prefix_space", "gpt2_style",
                                           "llama2_style", "llama3_style", "mistral_metaspace",
                                           "starcoder_style"),
                         [](const auto& style) { return std::string(style.param); });

Tokenizer SharedTokenizer(const std::string& name) {
  return Tokenizer::Load(testing::SharedPath("tokenizers/" + name + "/tokenizer.json"));
}

// The parts that end with `separator`.
std::vector<std::string> PartsEndingWith(std::string_view separator, const std::string& text) {
  std::vector<std::string> parts;
  size_t begin = 0;
  for (size_t end = text.find(separator); end != std::string::npos;
       end = text.find(separator, begin)) {
    parts.push_back(text.substr(begin, end - begin));
    begin = end + separator.size();
  }
  return parts;
}

struct LlamaCppVectors {
  const char* tokenizer;
  const char* file;
};

class LlamaCppVectorsTest : public ::testing::TestWithParam<LlamaCppVectors> {};

TEST_P(LlamaCppVectorsTest, EncodesEveryText) {
  PAROQUANT_SKIP_WITHOUT_SHARED();
  const Tokenizer tokenizer = SharedTokenizer(GetParam().tokenizer);
  const auto path = testing::SharedPath("tokenizers/vectors") / GetParam().file;
  const auto texts = PartsEndingWith("\n__ggml_vocab_test__\n", ReadFile(path.string() + ".inp"));
  ASSERT_FALSE(texts.empty());
  std::istringstream lines(ReadFile(path.string() + ".out"));
  for (const std::string& text : texts) {
    std::string line;
    ASSERT_TRUE(std::getline(lines, line));
    std::istringstream numbers(line);
    Ids expected;
    for (int32_t id = 0; numbers >> id;) expected.push_back(id);
    EXPECT_EQ(tokenizer.Encode(text, false), expected) << "\"" << text << "\"";
  }
}

INSTANTIATE_TEST_SUITE_P(Shared, LlamaCppVectorsTest,
                         ::testing::Values(LlamaCppVectors{"gpt2", "ggml-vocab-gpt-2.gguf"},
                                           LlamaCppVectors{"llama2", "ggml-vocab-llama-spm.gguf"},
                                           LlamaCppVectors{"qwen2", "ggml-vocab-qwen2.gguf"}),
                         [](const auto& vectors) { return std::string(vectors.param.tokenizer); });

void ExpectTransformersVectors(const std::string& tokenizer_name, const std::string& file) {
  const Tokenizer tokenizer = SharedTokenizer(tokenizer_name);
  const auto path = testing::SharedPath("tokenizers/vectors/multilingual") / file;
  const io::Json vectors = io::ReadJsonFile(path);
  for (const auto& [name, entry] : vectors.at("entries").items()) {
    const auto text = entry.at("decoded_with_special").get<std::string>();
    const auto ids = entry.at("input_ids").get<Ids>();
    EXPECT_EQ(tokenizer.Encode(text, false), ids) << name;
    EXPECT_EQ(tokenizer.Decode(ids, false), text) << name;
    EXPECT_EQ(tokenizer.Decode(ids, true), entry.at("decoded_skip_special").get<std::string>())
        << name;
    const auto tokens = entry.at("tokens").get<std::vector<std::string>>();
    for (size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(tokenizer.IdToToken(ids[i]), tokens[i]);
  }
}

TEST(MultilingualTest, Gpt2EncodesAndDecodesAsTransformers) {
  PAROQUANT_SKIP_WITHOUT_SHARED();
  ExpectTransformersVectors("gpt2", "openai-community__gpt2.json");
}

TEST(MultilingualTest, Qwen2EncodesAndDecodesAsTransformers) {
  PAROQUANT_SKIP_WITHOUT_SHARED();
  ExpectTransformersVectors("qwen2", "Qwen__Qwen2.5-0.5B.json");
}

TEST(MultilingualTest, EveryTokenizerGivesTheTextBack) {
  PAROQUANT_SKIP_WITHOUT_SHARED();
  const io::Json inputs =
      io::ReadJsonFile(testing::SharedPath("tokenizers/vectors/multilingual/inputs.json"));
  for (const char* name : {"gpt2", "llama2", "mistral-7b-v0.2", "smollm2"}) {
    const Tokenizer tokenizer = SharedTokenizer(name);
    for (const io::Json& input : inputs) {
      const auto text = input.at("text").get<std::string>();
      EXPECT_EQ(tokenizer.Decode(tokenizer.Encode(text, false), false), text) << name;
    }
  }
}

TEST(WholeFileTest, WikiTextHasTheKnownNumberOfTokens) {
  PAROQUANT_SKIP_WITHOUT_SHARED();
  const std::string text = ReadFile(testing::SharedPath("corpora/wikitext2/wiki.test.raw"));
  const auto tiny = Tokenizer::Load(testing::DataPath("tiny-llama/tokenizer.json"));
  EXPECT_EQ(tiny.Encode(text, false).size(), 476997U);
  const auto bench = Tokenizer::Load(testing::SharedPath("models/bench-llama/tokenizer.json"));
  EXPECT_EQ(bench.Encode(text, false).size(), 355301U);
}

TEST(WholeFileTest, SentencepieceModelEncodesAsItsReference) {
  PAROQUANT_SKIP_WITHOUT_SHARED();
  const auto folder = testing::SharedPath("models/stories260K");
  const auto tokenizer = Tokenizer::Load(folder / "tokenizer.json");
  const io::Json reference = io::ReadJsonFile(folder / "reference_fp64.json");
  EXPECT_EQ(tokenizer.Encode(reference.at("text").get<std::string>(), false),
            reference.at("ids_no_bos").get<Ids>());
}

}  // namespace
}  // namespace paroquant::text
