#include "paroquant/eval/evaluation_text.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "paroquant/base/error.h"
#include "paroquant/base/file.h"
#include "paroquant/io/json.h"
#include "paroquant/text/tokenizer.h"
#include "tests/testing/error_of.h"
#include "tests/testing/paths.h"

namespace paroquant::eval {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

const fs::path kTokenizer = testing::DataPath("tiny-llama/tokenizer.json");

EvaluationTextOptions Crops(int64_t window) {
  return {.protocol = Protocol::kPaperC4,
          .window = window,
          .max_windows = 40,
          .tokenizer_json = kTokenizer};
}

bool IsRunOf(const std::vector<int32_t>& text, const std::vector<int32_t>& run) {
  return std::search(text.begin(), text.end(), run.begin(), run.end()) != text.end();
}

// Two documents that differ in every word, and a short one.
class RandomCropsTest : public ::testing::Test {
 protected:
  RandomCropsTest() {
    std::string first;
    std::string second;
    for (int i = 0; i < 40; ++i) {
      first += fmt::format(" rain {}", i);
      second += fmt::format(" sun {}", i);
    }
    documents_ = {first, "short", second};
    std::string lines;
    for (const std::string& text : documents_) lines += io::Json{{"text", text}}.dump() + "\n";
    file_ = folder_.path() / "documents.jsonl";
    WriteFile(file_, lines);
  }

  testing::TemporaryFolder folder_;
  fs::path file_;
  std::vector<std::string> documents_;
};

TEST_F(RandomCropsTest, EachIsARunOfOneLongDocument) {
  const auto tokenizer = text::Tokenizer::Load(kTokenizer);
  const std::vector<int32_t> first = tokenizer.Encode(documents_[0], false);
  const std::vector<int32_t> second = tokenizer.Encode(documents_[2], false);
  const std::vector<Window> windows = LoadWindows(file_.string(), Crops(16));
  ASSERT_EQ(windows.size(), 40U);
  int64_t from_first = 0;
  for (const Window& window : windows) {
    EXPECT_EQ(window.tokens.size(), 16U);
    EXPECT_EQ(window.first_scored, 1);
    const bool in_first = IsRunOf(first, window.tokens);
    EXPECT_NE(in_first, IsRunOf(second, window.tokens));
    from_first += in_first ? 1 : 0;
  }
  EXPECT_GT(from_first, 5);
  EXPECT_LT(from_first, 35);
}

TEST_F(RandomCropsTest, ASeedGivesTheSameOnesAndAnotherSeedOthers) {
  const auto tokens = [&](uint64_t seed) {
    EvaluationTextOptions options = Crops(16);
    options.seed = seed;
    std::vector<std::vector<int32_t>> result;
    for (const Window& window : LoadWindows(file_.string(), options)) {
      result.push_back(window.tokens);
    }
    return result;
  };
  EXPECT_EQ(tokens(1), tokens(1));
  EXPECT_NE(tokens(1), tokens(2));
}

TEST_F(RandomCropsTest, DocumentsThatAreAllTooShortAreRefused) {
  const Error error = testing::ErrorOf([&] { LoadWindows(file_.string(), Crops(4000)); });
  EXPECT_EQ(error.kind(), ErrorKind::kInput);
  EXPECT_THAT(error.what(), HasSubstr("a document of more than 4000 tokens"));
  EXPECT_THAT(error.what(), HasSubstr("3 shorter ones"));
}

TEST(ProtocolTest, NamesAreReadBack) {
  for (const Protocol protocol : {Protocol::kPaper, Protocol::kLlamaCpp, Protocol::kPaperC4}) {
    EXPECT_EQ(ProtocolFromName(ProtocolName(protocol)), protocol);
  }
  const Error error = testing::ErrorOf([] { ProtocolFromName("papers"); });
  EXPECT_EQ(error.kind(), ErrorKind::kUsage);
  EXPECT_THAT(error.what(), HasSubstr("one of paper, llama.cpp, paper-c4"));
}

}  // namespace
}  // namespace paroquant::eval
