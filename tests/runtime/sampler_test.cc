#include "paroquant/runtime/sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "paroquant/base/file.h"
#include "paroquant/io/json.h"
#include "tests/testing/paths.h"

namespace paroquant::runtime {
namespace {

constexpr int kDraws = 20'000;
constexpr float kImpossible = -std::numeric_limits<float>::infinity();

Vector Logits(const std::vector<float>& values) {
  return Eigen::Map<const Vector>(values.data(), static_cast<Eigen::Index>(values.size()));
}

// How often each token comes up at a temperature.
std::vector<int> Counts(const Vector& logits, double temperature) {
  Rng rng(5);
  std::vector<int> counts(static_cast<size_t>(logits.size()));
  for (int i = 0; i < kDraws; ++i) {
    ++counts[static_cast<size_t>(SampleToken(logits, temperature, rng))];
  }
  return counts;
}

TEST(SampleTokenTest, WithoutTemperatureTheFirstOfTheLikeliestWins) {
  for (const double temperature : {0.0, -1.0}) {
    Rng rng(1);
    EXPECT_EQ(SampleToken(Logits({0.5F, 2.0F, -1.0F, 2.0F}), temperature, rng), 1);
    EXPECT_EQ(SampleToken(Logits({-5.0F}), temperature, rng), 0);
    EXPECT_EQ(SampleToken(Logits({kImpossible, kImpossible, -1e30F}), temperature, rng), 2);
    EXPECT_EQ(rng.Uniform(), Rng(1).Uniform()) << "a choice without chance uses no random number";
  }
}

TEST(SampleTokenTest, OnlyTheLikeliestTokensComeUpUnderTopP) {
  const Vector logits = Logits({std::log(0.2F), std::log(0.5F), std::log(0.1F), std::log(0.2F)});
  const auto drawn = [&](double top_p) {
    Rng rng(7);
    std::set<int32_t> tokens;
    for (int i = 0; i < 1000; ++i) tokens.insert(SampleToken(logits, 1.0, rng, top_p));
    return tokens;
  };
  EXPECT_EQ(drawn(0.4), (std::set<int32_t>{1}));
  EXPECT_EQ(drawn(0.6), (std::set<int32_t>{0, 1})) << "of equal tokens the first is kept";
  EXPECT_EQ(drawn(0.8), (std::set<int32_t>{0, 1, 3}));
  EXPECT_EQ(drawn(1.0).size(), 4U);
  EXPECT_EQ(drawn(1e-9), (std::set<int32_t>{1}));
}

// softmax(log(p) / T) is p^(1/T), normalised.
TEST(SampleTokenTest, TokensComeUpByTheirProbability) {
  const std::vector<double> p = {0.5, 0.3, 0.15, 0.05};
  Vector logits(4);
  for (Eigen::Index i = 0; i < 4; ++i) {
    logits[i] = 7.0F + static_cast<float>(std::log(p[static_cast<size_t>(i)]));
  }
  for (const double temperature : {1.0, 0.5, 2.0, 100.0}) {
    double sum = 0;
    for (const double value : p) sum += std::pow(value, 1 / temperature);
    const std::vector<int> counts = Counts(logits, temperature);
    for (size_t i = 0; i < p.size(); ++i) {
      const double share = std::pow(p[i], 1 / temperature) / sum;
      EXPECT_NEAR(counts[i], kDraws * share, 5 * std::sqrt(kDraws * share * (1 - share)))
          << "token " << i << " at " << temperature;
    }
  }
}

TEST(SampleTokenTest, TinyTemperaturesAreGreedy) {
  for (const double temperature : {1e-3, 1e-30, 1e-60}) {
    EXPECT_EQ(Counts(Logits({0.0F, 1.0F, 0.5F}), temperature), (std::vector<int>{0, kDraws, 0}));
  }
}

TEST(SampleTokenTest, ImpossibleTokensNeverComeUpAndHugeLogitsDoNotOverflow) {
  const std::vector<int> counts =
      Counts(Logits({kImpossible, 3e38F, kImpossible, 3e38F, -3e38F}), 1.0);
  EXPECT_EQ(counts[0] + counts[2] + counts[4], 0);
  EXPECT_NEAR(counts[1], kDraws / 2, 5 * std::sqrt(kDraws / 4));
}

TEST(SampleTokenTest, SeedDecidesTheDraws) {
  const Vector logits = Vector::Zero(1000);
  const auto draw = [&](uint64_t seed) {
    Rng rng(seed);
    std::vector<int32_t> tokens;
    for (int i = 0; i < 20; ++i) tokens.push_back(SampleToken(logits, 1.0, rng));
    return tokens;
  };
  EXPECT_EQ(draw(3), draw(3));
  EXPECT_NE(draw(3), draw(4));
}

LanguageModel GoldenModel() {
  return LanguageModel::Load(testing::GoldenPath("models/llama_gqa_tied"));
}

std::vector<int32_t> Generated(const LanguageModel& model, const std::vector<int32_t>& prompt,
                               int64_t length, const GenerateOptions& options = {}) {
  std::vector<int32_t> tokens;
  Generate(model, prompt, length, options, [&](int32_t token) { tokens.push_back(token); });
  return tokens;
}

// Each next token from a pass over the whole text, without a cache.
std::vector<int32_t> GreedyByDefinition(const LanguageModel& model, std::vector<int32_t> text,
                                        int64_t count) {
  std::vector<int32_t> tokens;
  for (int64_t i = 0; i < count; ++i) {
    Matrix hidden = model.Embed(text);
    model.Forward({.count = 1, .length = static_cast<int64_t>(text.size())}, hidden);
    Eigen::Index best = 0;
    model.Logits(hidden.bottomRows(1)).row(0).maxCoeff(&best);
    tokens.push_back(static_cast<int32_t>(best));
    text.push_back(tokens.back());
  }
  return tokens;
}

TEST(GenerateTest, GreedyTextIsTheLikeliestTokenByToken) {
  const LanguageModel model = GoldenModel();
  const std::vector<int32_t> prompt = {5, 9, 11};
  EXPECT_EQ(Generated(model, prompt, 15), GreedyByDefinition(model, prompt, 12));
}

TEST(GenerateTest, StopsAtTheLengthEvenIfThePromptIsLonger) {
  const LanguageModel model = GoldenModel();
  EXPECT_EQ(Generated(model, {5, 9, 11}, 4).size(), 1U);
  EXPECT_TRUE(Generated(model, {5, 9, 11}, 3).empty());
  EXPECT_TRUE(Generated(model, {5, 9, 11}, 2).empty());
  EXPECT_TRUE(Generated(model, {5, 9, 11}, 0).empty());
}

TEST(GenerateTest, StopsBeforeATokenThatEndsTheText) {
  const testing::TemporaryFolder root;
  const auto folder = root.path() / "model";
  std::filesystem::copy(testing::GoldenPath("models/llama_gqa_tied"), folder);
  const std::vector<int32_t> whole = GreedyByDefinition(GoldenModel(), {5, 9, 11}, 6);
  io::Json config = io::ReadJsonFile(folder / "config.json");
  config["eos_token_id"] = {config.at("vocab_size").get<int32_t>() - 1, whole[4]};
  WriteFile(folder / "config.json", config.dump());

  const std::vector<int32_t> found = Generated(LanguageModel::Load(folder), {5, 9, 11}, 9);
  const auto end = std::find(whole.begin(), whole.end(), whole[4]);
  EXPECT_EQ(found, std::vector<int32_t>(whole.begin(), end));
}

TEST(GenerateTest, SeedDecidesTheText) {
  const LanguageModel model = GoldenModel();
  const auto draw = [&](uint64_t seed) {
    return Generated(model, {5}, 30, {.temperature = 2.0, .seed = seed});
  };
  EXPECT_EQ(draw(1), draw(1));
  EXPECT_NE(draw(1), draw(2));
}

TEST(SampleSequencesTest, EachSequenceDependsOnTheSeedAndItsNumberAlone) {
  const LanguageModel model = GoldenModel();
  NoProgress progress;
  // More than are drawn in lockstep.
  const auto many = SampleSequences(model, 35, 8, 1, progress);
  ASSERT_EQ(many.size(), 35U);
  for (const auto& sequence : many) {
    ASSERT_EQ(sequence.size(), 8U);
    EXPECT_EQ(sequence.front(), model.architecture().bos_token_id);
  }
  const auto few = SampleSequences(model, 3, 8, 1, progress);
  for (size_t s = 0; s < few.size(); ++s) EXPECT_EQ(few[s], many[s]) << s;
  EXPECT_NE(many, SampleSequences(model, 35, 8, 2, progress));
  EXPECT_EQ(std::set(many.begin(), many.end()).size(), many.size()) << "all differ";
}

TEST(SampleSequencesTest, WithoutABeginningTokenTheFirstIsRandom) {
  const testing::TemporaryFolder root;
  const auto folder = root.path() / "model";
  std::filesystem::copy(testing::GoldenPath("models/llama_gqa_tied"), folder);
  io::Json config = io::ReadJsonFile(folder / "config.json");
  config.erase("bos_token_id");
  WriteFile(folder / "config.json", config.dump());
  const auto model = LanguageModel::Load(folder);
  NoProgress progress;
  std::set<int32_t> first;
  for (const auto& sequence : SampleSequences(model, 20, 1, 1, progress)) {
    ASSERT_EQ(sequence.size(), 1U);
    first.insert(sequence.front());
  }
  EXPECT_GT(first.size(), 10U);
}

}  // namespace
}  // namespace paroquant::runtime
