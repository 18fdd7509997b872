// generate: sampling, and a baseline beside the model.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/cli/cli_process.h"

namespace paroquant {
namespace {

using ::testing::ContainsRegex;
using testing::GoldenPath;
using ::testing::HasSubstr;
using testing::kTinyLlama;
using testing::RunCli;
using testing::RunCliJson;

std::vector<std::string> Generate(const std::vector<std::string>& more) {
  std::vector<std::string> words = {"generate", "--model",      kTinyLlama, "--prompt",
                                    "The city", "--max-tokens", "12"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

TEST(GenerateTest, ASeedGivesTheSameTextOnAnyNumberOfThreads) {
  const std::vector<std::string> sampling = {"--temperature", "1.2", "--top-p", "0.9", "--seed"};
  const auto run = [&](const std::string& seed, const std::string& threads) {
    std::vector<std::string> words = sampling;
    for (const std::string& word : {seed, std::string("--threads"), threads}) words.push_back(word);
    return RunCli(Generate(words)).out;
  };
  const std::string text = run("5", "1");
  EXPECT_EQ(run("5", "2"), text);
  EXPECT_EQ(run("5", "3"), text);
  EXPECT_NE(run("6", "1"), text);
}

TEST(GenerateTest, AVanishingTopPTakesTheLikeliestTokens) {
  EXPECT_EQ(RunCli(Generate({"--temperature", "1", "--top-p", "0.000001"})).out,
            RunCli(Generate({})).out);
}

TEST(GenerateTest, ABaselineThatSaysTheSameIsSaidTo) {
  const auto result = RunCli(Generate({"--baseline", kTinyLlama}));
  EXPECT_EQ(result.exit_code, 0) << result.error;
  EXPECT_THAT(result.out, HasSubstr("All 12 tokens are the same."));
  const io::Json json = RunCliJson(Generate({"--baseline", kTinyLlama}));
  EXPECT_TRUE(json.at("first_difference").is_null());
  EXPECT_EQ(json.at("baseline").at("ids"), json.at("ids"));
}

TEST(GenerateTest, TheFirstTokenThatDiffersIsShown) {
  const testing::TemporaryFolder folder;
  const std::string out = (folder.path() / "out").string();
  ASSERT_EQ(
      RunCli({"quantize", "--model", kTinyLlama, "--out", out, "--recipe", "rtn", "--bits", "2"})
          .exit_code,
      0);
  const std::vector<std::string> words = {"generate",   "--model",      out,
                                          "--baseline", kTinyLlama,     "--prompt",
                                          "The city",   "--max-tokens", "12"};
  const io::Json json = RunCliJson(words);
  const auto place = json.at("first_difference").get<size_t>();
  EXPECT_NE(json.at("ids").at(place), json.at("baseline").at("ids").at(place));
  const auto text = RunCli(words);
  const std::vector<std::string> few = {"They part at once: \"",
                                        "The first token is the same; then \""};
  EXPECT_THAT(text.out, HasSubstr(place < few.size() ? few[place]
                                                     : "The first " + std::to_string(place) +
                                                           " tokens are the same; then \""));
  EXPECT_THAT(text.out, ContainsRegex("\n  out: +tiny-llama:\n"));
}

TEST(GenerateTest, ATopPThatChangesNothingIsRefused) {
  const auto result = RunCli(Generate({"--top-p", "0.5"}));
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.error, HasSubstr("--top-p: expected a --temperature above 0"));
  EXPECT_EQ(RunCli(Generate({"--top-p", "1"})).exit_code, 0);
}

TEST(GenerateTest, WhatStoppedItIsTold) {
  EXPECT_EQ(RunCliJson(Generate({})).at("stopped_by"), "max_tokens");
  std::string prompt;
  for (int i = 0; i < 1000; ++i) prompt += " the";
  const std::vector<std::string> words = {"generate", "--model",      kTinyLlama, "--prompt",
                                          prompt,     "--seed",       "1",        "--temperature",
                                          "1",        "--max-tokens", "3000"};
  const io::Json json = RunCliJson(words);
  const auto result = RunCli(words);
  const bool full = json.at("stopped_by") == "context";
  EXPECT_TRUE(full || json.at("stopped_by") == "end_token");
  EXPECT_EQ(result.error.find("of 3000 tokens, as the model has no more than 1024 positions") !=
                std::string::npos,
            full)
      << result.error;
}

TEST(GenerateTest, APromptThatIsNoTextIsNotTakenForAFile) {
  const auto result = RunCli({"generate", "--model", kTinyLlama, "--prompt", "a\xff"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.error, HasSubstr("--prompt: expected text in UTF-8"));
  EXPECT_THAT(result.error, ::testing::Not(HasSubstr("iconv")));
}

TEST(GenerateTest, ABaselineOfAnotherVocabularyIsRefused) {
  const auto result = RunCli(Generate({"--baseline", GoldenPath("models/qwen3").string()}));
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.error, HasSubstr("expected the model's vocabulary of 2048 tokens"));
}

}  // namespace
}  // namespace paroquant
