// OUT/README.md: the model card that quantize and convert write and eval-ppl adds figures to.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "paroquant/base/file.h"
#include "tests/cli/cli_process.h"

namespace paroquant {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using testing::CliResult;
using testing::DataPath;
using ::testing::ElementsAre;
using testing::FolderContent;
using testing::GoldenPath;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::RunCli;
using testing::TemporaryFolder;

// The head as a reader of YAML's subset would have it that knows nothing of how it was written:
// "key: scalar" and lists of "- scalar", scalars plain or as JSON has strings.
std::map<std::string, std::vector<std::string>> HeadOf(const std::string& card) {
  std::istringstream lines(card);
  std::map<std::string, std::vector<std::string>> head;
  std::string line;
  std::string key;
  const auto scalar = [](const std::string& text) {
    return text.starts_with('"') ? io::Json::parse(text).get<std::string>() : text;
  };
  std::getline(lines, line);
  EXPECT_EQ(line, "---");
  while (std::getline(lines, line) && line != "---") {
    if (line.starts_with("- ")) {
      head[key].push_back(scalar(line.substr(2)));
      continue;
    }
    const size_t colon = line.find(':');
    key = line.substr(0, colon);
    EXPECT_FALSE(head.contains(key)) << key;
    head[key] = {};
    if (colon + 1 < line.size()) head[key].push_back(scalar(line.substr(colon + 2)));
  }
  EXPECT_EQ(line, "---");
  return head;
}

class CardTest : public ::testing::Test {
 protected:
  CardTest() { fs::copy(DataPath("tiny-llama"), model_); }

  std::vector<std::string> Words(const fs::path& out, const std::vector<std::string>& more = {}) {
    std::vector<std::string> words = {"quantize", "--model", model_.string(), "--out", out.string(),
                                      "--recipe", "rtn"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  CliResult Quantize(const std::vector<std::string>& more = {}) {
    return RunCli(Words(out_, more));
  }
  std::string Card() const { return ReadFile(out_ / "README.md"); }

  TemporaryFolder folder_;
  const fs::path model_ = folder_.path() / "Tiny Llama";
  const fs::path out_ = folder_.path() / "out";
};

TEST_F(CardTest, SaysWhatTheHubAsksFor) {
  WriteFile(model_ / "README.md",
            "---\nlicense: cc-by-sa-4.0\nlanguage:\n- en\n- no\npipeline_tag: "
            "text-generation\ntags:\n- gguf\n---\n# The best model\n");
  ASSERT_EQ(Quantize().exit_code, 0);
  const auto head = HeadOf(Card());
  EXPECT_THAT(head.at("base_model"), ElementsAre("Tiny Llama"));
  EXPECT_THAT(head.at("base_model_relation"), ElementsAre("quantized"));
  EXPECT_THAT(head.at("library_name"), ElementsAre("transformers"));
  EXPECT_THAT(head.at("license"), ElementsAre("cc-by-sa-4.0"));
  EXPECT_FALSE(head.contains("license_link"));
  EXPECT_THAT(head.at("language"), ElementsAre("en", "no"));
  EXPECT_THAT(head.at("pipeline_tag"), ElementsAre("text-generation"));
  EXPECT_THAT(head.at("tags"), ElementsAre("paroquant", "quantized", "4-bit"));
  EXPECT_THAT(Card(), Not(HasSubstr("The best model")));
  // Names, no paths.
  EXPECT_THAT(Card(), AllOf(HasSubstr("--model 'Tiny Llama'"), HasSubstr("--recipe rtn"),
                            HasSubstr("21 quantized, 0 in 16 bits"),
                            Not(HasSubstr(folder_.path().string()))));
  EXPECT_EQ(RunCli({"verify", "--model", out_.string(), "--source", model_.string()}).exit_code, 0);
}

// A licence that only a file states, in the way that the hub has for it.
TEST_F(CardTest, PointsToTheLicenceThatIsCarriedOver) {
  ASSERT_EQ(Quantize().exit_code, 0);
  ASSERT_TRUE(fs::exists(out_ / "LICENSE.md"));
  auto head = HeadOf(Card());
  EXPECT_THAT(head.at("license"), ElementsAre("other"));
  EXPECT_THAT(head.at("license_link"), ElementsAre("LICENSE.md"));
  EXPECT_THAT(Card(), AllOf(HasSubstr("the licence is in `LICENSE.md`, which came with"),
                            Not(HasSubstr("states no licence"))));

  fs::rename(model_ / "LICENSE.md", model_ / "licence-of-weights.txt");
  ASSERT_EQ(Quantize({"--overwrite"}).exit_code, 0);
  head = HeadOf(Card());
  EXPECT_THAT(head.at("license"), ElementsAre("other"));
  EXPECT_FALSE(head.contains("license_link"));  // the hub would not find it
  EXPECT_THAT(Card(), HasSubstr("the licence is in `licence-of-weights.txt`"));

  fs::remove(model_ / "licence-of-weights.txt");
  ASSERT_EQ(Quantize({"--overwrite"}).exit_code, 0);
  EXPECT_FALSE(HeadOf(Card()).contains("license"));
  EXPECT_THAT(Card(), HasSubstr("it states no licence that could be read"));
}

// Those that fall back to what an engine refuses are not said to load there.
TEST_F(CardTest, NamesTheEnginesThatLoadIt) {
  ASSERT_EQ(Quantize().exit_code, 0);
  EXPECT_THAT(Card(), AllOf(HasSubstr("**transformers**"), HasSubstr("**vllm**"),
                            HasSubstr("**mlx**"), Not(HasSubstr("Not loaded by"))));
  ASSERT_EQ(Quantize({"--overwrite", "--group-size", "64"}).exit_code, 0);
  EXPECT_THAT(Card(), AllOf(Not(HasSubstr("**vllm**")), HasSubstr("- vllm: it demands groups of"),
                            HasSubstr("**mlx**")));
}

TEST_F(CardTest, TheSameCommandGivesTheSameBytesWhereverItRuns) {
  ASSERT_EQ(Quantize().exit_code, 0);
  const std::string card = Card();
  fs::rename(out_, folder_.path() / "elsewhere");
  ASSERT_EQ(Quantize({"--threads", "1"}).exit_code, 0);
  EXPECT_EQ(Card(), card);
}

TEST_F(CardTest, TheCommandInItMakesTheSameCardAgain) {
  ASSERT_EQ(Quantize({"--skip", "v_proj", "--override", "up_proj:bits=8", "--set", "rotations=2",
                      "--seed", "7"})
                .exit_code,
            0);
  const std::string card = Card();
  const std::string start = "\n```\nparoquant ";
  const size_t begin = card.find(start) + start.size();
  const std::string command = card.substr(begin, card.find("\n```", begin) - begin);
  const CliResult again =
      testing::RunCliInScript("cd '" + folder_.path().string() + "' && \"$@\" " + command, {});
  ASSERT_EQ(again.exit_code, 0) << command << again.error;
  EXPECT_EQ(FolderContent(folder_.path() / "Tiny Llama-quantized"), FolderContent(out_));
}

TEST_F(CardTest, HostileSourceCardsDoNoHarm) {
  const std::string readme = (model_ / "README.md").string();
  for (const std::string& text :
       {std::string("---\nlicense: mit\n"), std::string("---\nlicense: \xFF\n---\n"),
        std::string("---\nlicense: [mit\nlanguage: {a}\n---\n"), std::string("\0\0---\n", 6),
        "---\n" + std::string(5 << 20, '-') + "\n---\n",
        std::string("---\nlicense: \"a\\nbase_model: evil\"\n---\n")}) {
    WriteFile(readme, text);
    const CliResult result = Quantize({"--overwrite"});
    ASSERT_EQ(result.exit_code, 0) << result.error;
    EXPECT_THAT(HeadOf(Card()).at("base_model"), ElementsAre("Tiny Llama"));
  }
  fs::remove(readme);
  fs::create_directory(readme);
  EXPECT_EQ(Quantize({"--overwrite"}).exit_code, 0);
}

TEST_F(CardTest, NamesThatYamlAndMarkdownWouldMisreadAreQuoted) {
  const fs::path odd = folder_.path() / "a: 'b' \"c\" | `d` é";
  fs::rename(model_, odd);
  ASSERT_EQ(RunCli({"quantize", "--model", odd.string(), "--out", out_.string(), "--recipe", "rtn"})
                .exit_code,
            0);
  EXPECT_THAT(HeadOf(Card()).at("base_model"), ElementsAre("a: 'b' \"c\" | `d` é"));
}

TEST_F(CardTest, ACardThatSomebodyWroteIsKept) {
  ASSERT_EQ(Quantize().exit_code, 0);
  WriteFile(out_ / "README.md", "mine\n");
  EXPECT_EQ(Quantize().exit_code, 2);
  EXPECT_EQ(Card(), "mine\n");
  const CliResult result = Quantize({"--overwrite"});
  EXPECT_THAT(result.error, HasSubstr("kept as README.old.md"));
  EXPECT_EQ(ReadFile(out_ / "README.old.md"), "mine\n");
  const std::string card = Card();
  WriteFile(out_ / "README.md", card + "and a word of mine\n");
  EXPECT_THAT(Quantize({"--overwrite"}).error, HasSubstr("kept as README.old.2.md"));
  EXPECT_EQ(ReadFile(out_ / "README.old.md"), "mine\n");
  EXPECT_EQ(ReadFile(out_ / "README.old.2.md"), card + "and a word of mine\n");
  EXPECT_THAT(Quantize({"--overwrite"}).error, Not(HasSubstr("kept as")));
  EXPECT_EQ(Card(), card);
}

TEST_F(CardTest, ConvertSaysTheSameOfTheSameCodes) {
  WriteFile(model_ / "README.md", "---\nlicense: mit\n---\n");
  ASSERT_EQ(Quantize({"--set", "rotation=none", "--set", "channel_scales=none"}).exit_code, 0);
  const fs::path awq = folder_.path() / "awq";
  const CliResult result =
      RunCli({"convert", "--model", out_.string(), "--out", awq.string(), "--format", "awq"});
  ASSERT_EQ(result.exit_code, 0) << result.error;
  const std::string card = ReadFile(awq / "README.md");
  const auto head = HeadOf(card);
  EXPECT_THAT(head.at("base_model"), ElementsAre("Tiny Llama"));
  EXPECT_THAT(head.at("license"), ElementsAre("mit"));
  EXPECT_THAT(head.at("tags"), ElementsAre("paroquant", "quantized", "awq", "4-bit"));
  EXPECT_THAT(card, AllOf(HasSubstr("| recipe | `rtn` |"), HasSubstr("--format awq")));
}

TEST_F(CardTest, EvaluationPutsItsFiguresIn) {
  ASSERT_EQ(Quantize().exit_code, 0);
  const std::string text = DataPath("tiny-llama/sample_evaluation.txt").string();
  const std::vector<std::string> words = {
      "eval-ppl", "--model", out_.string(),   "--baseline", model_.string(), "--data", text,
      "--window", "128",     "--max-windows", "2",          "--card"};
  const CliResult first = RunCli(words);
  ASSERT_EQ(first.exit_code, 0) << first.error;
  const std::string card = Card();
  EXPECT_THAT(
      card, AllOf(HasSubstr("| sample_evaluation.txt | paper | 2 × 128 |"),
                  HasSubstr("to compare with was Tiny Llama"), Not(HasSubstr("was not measured"))));
  ASSERT_EQ(RunCli(words).exit_code, 0);
  EXPECT_EQ(Card(), card);  // in the place of the earlier ones
  // Still nobody's own.
  EXPECT_THAT(Quantize({"--overwrite"}).error, Not(HasSubstr("kept as")));
}

TEST_F(CardTest, FiguresNeedACardWithAPlaceForThem) {
  const CliResult result =
      RunCli({"eval-ppl", "--model", model_.string(), "--data",
              DataPath("tiny-llama/sample_evaluation.txt").string(), "--card"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.error, HasSubstr("README.md"));
  EXPECT_EQ(result.out, "");
}

}  // namespace
}  // namespace paroquant
