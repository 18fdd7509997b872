// Options whose values are refused, and what the messages say.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cli/cli_process.h"

namespace paroquant {
namespace {

using testing::DataPath;
using ::testing::HasSubstr;
using testing::kTinyLlama;
using testing::RunCli;
using testing::TemporaryFolder;

struct OptionCase {
  std::vector<std::string> arguments;
  std::string message;
  int exit_code = 2;
};

void ExpectRefused(const std::vector<OptionCase>& cases) {
  for (const OptionCase& c : cases) {
    const auto result = RunCli(c.arguments);
    EXPECT_EQ(result.exit_code, c.exit_code) << c.message << "\n" << result.error;
    EXPECT_THAT(result.error, HasSubstr(c.message));
    EXPECT_TRUE(testing::HasFourParts(result.error));
    EXPECT_LT(result.error.size(), 400U) << result.error;
  }
}

TEST(BadOptionTest, IntegersAreWholeNumbersInRange) {
  const std::string most = "18446744073709551615";
  for (const std::string& seed : {std::string("-1"), std::string("+1"), std::string("0x10"),
                                  std::string("1.5"), std::string("1e3"), std::string(" 1"),
                                  std::string("18446744073709551616"), std::string(300, '9')}) {
    ExpectRefused({{{"generate", "--model", kTinyLlama, "--prompt", "x", "--seed", seed},
                    "--seed: expected a whole number from 0 to " + most + ", found \"" +
                        seed.substr(0, 40)}});
  }
  ExpectRefused({
      {{"inspect", "--model", kTinyLlama, "--threads", "0"}, "--threads: expected a whole number"},
      {{"inspect", "--model", kTinyLlama, "--threads", "4000"}, "from 1 to 1024, found \"4000\""},
      {{"eval-ppl", "--model", kTinyLlama, "--data", "x", "--window", "1"}, "--window: expected"},
      {{"quantize", "--model", kTinyLlama, "--out", "x", "--bits", "4b"}, "--bits: expected"},
      {{"quantize", "--model", kTinyLlama, "--out", "x", "--shard-size", "-5"}, "--shard-size"},
      {{"quantize", "--model", kTinyLlama, "--out", "x", "--shard-size", "5XB"}, "--shard-size"},
      {{"quantize", "--model", kTinyLlama, "--out", "x", "--shard-size", "9999999999GB"},
       "--shard-size"},
  });
}

TEST(BadOptionTest, OptionsForKeysOfARecipeTakeWhatTheKeyTakes) {
  const auto quantize = [](const std::string& option, const std::string& value) {
    return std::vector<std::string>{"quantize", "--model", kTinyLlama, "--out", "x", option, value};
  };
  const std::string sequences = "--calib-sequences: expected an integer between 1 and 1048576";
  ExpectRefused({
      {quantize("--calib-sequences", "-1"), sequences + ", found -1"},
      {quantize("--calib-sequences", "0"), sequences + ", found 0"},
      {quantize("--calib-sequences", "8x"), sequences + ", found \"8x\""},
      {quantize("--calib-sequences", "1.5"), sequences + ", found \"1.5\""},
      {quantize("--sequence-length", "1"), "--sequence-length: expected an integer between 2 and"},
      {quantize("--rotations", "-8"),
       "--rotations: expected an integer between 1 and 16, found -8"},
      {quantize("--bits", "-4"), "--bits: expected one of 2, 3, 4, 8, found -4"},
  });
}

TEST(BadOptionTest, OverridesAreAnsweredWithTheirKey) {
  const auto quantize = [](const std::string& value) {
    return std::vector<std::string>{"quantize", "--model",    kTinyLlama, "--out",
                                    "x",        "--override", value};
  };
  ExpectRefused({
      {quantize("q_proj:bits=5"),
       "--override q_proj:bits=5: bits: expected one of 2, 3, 4, 8, found 5."},
      {quantize("q_proj:group-size=x"),
       "--override q_proj:group-size=x: group-size: expected one of 32, 64, 128, found \"x\"."},
      {quantize("q_proj:bts=4"), "expected bits or group-size, found \"bts\". Did you mean bits?"},
      {quantize("q_proj:group_size=64"), "Did you mean group-size?"},
      {quantize("q_proj:bits=4,bits=4"), "expected bits once, found it twice"},
      {quantize("(:bits=4"), "--override (: expected a regular expression"},
  });
  ExpectRefused({{{"quantize", "--model", kTinyLlama, "--out", "x", "--skip", "("},
                  "is written \\( or \\[."}});
}

TEST(BadOptionTest, LeadingZerosAreNoOctal) {
  const std::vector<std::string> words = {"generate", "--model", kTinyLlama,     "--prompt", "x",
                                          "--seed",   "3",       "--max-tokens", "010"};
  const io::Json result = testing::RunCliJson(words);
  EXPECT_EQ(result.at("ids").size(), 10U);
}

TEST(BadOptionTest, TemperaturesAreFinite) {
  for (const char* temperature : {"nan", "inf", "-1", "1e999", "warm", ""}) {
    ExpectRefused(
        {{{"generate", "--model", kTinyLlama, "--prompt", "x", "--temperature", temperature},
          "--temperature: expected a finite number, 0 or more"}});
  }
}

TEST(BadOptionTest, SharesAreAboveZeroAndAtMostOne) {
  for (const char* share : {"0", "1.1", "-0.5", "nan", "most"}) {
    ExpectRefused({{{"generate", "--model", kTinyLlama, "--prompt", "x", "--top-p", share},
                    "--top-p: expected a number above 0, at most 1"}});
  }
}

TEST(BadOptionTest, EmptyPathsNameTheirOption) {
  ExpectRefused({
      {{"quantize", "--model", "", "--out", "x"}, "--model: expected a path"},
      {{"quantize", "--model", kTinyLlama, "--out", ""}, "--out: expected a path"},
      {{"verify", "--model", kTinyLlama, "--source", ""}, "--source: expected a path"},
      {{"inspect", "--model", kTinyLlama, "--json", ""}, "--json: expected a path"},
  });
}

TEST(BadOptionTest, MistypedWordsAreAnsweredWithTheRightOnes) {
  ExpectRefused({
      {{"quantize", "--model", kTinyLlama, "--out", "x", "--recipe", "fats"},
       "--recipe fats: expected one of fast"},
      {{"recipe", "show", "FAST"}, "recipe show FAST: expected one of fast"},
      {{"recipe", "show", "FAST"}, "Did you mean fast?"},
      {{"recipe", "show", "/tmp"}, "\"paroquant recipe list\" says"},
      {{"eval-ppl", "--model", kTinyLlama, "--data", "wikitext3"}, "Did you mean wikitext2?", 3},
      {{"eval-ppl", "--model", kTinyLlama, "--data", "c4", "--protocol", "papr"},
       "Did you mean paper?"},
      {{"inspect", "--model", kTinyLlama, "--log-level", "warn"}, "Did you mean warning?"},
  });
}

TEST(BadOptionTest, WordsInTheWrongPlaceAreExplained) {
  ExpectRefused({
      {{"--json", "x", "inspect", "--model", kTinyLlama}, "behind the command"},
      {{"--verson"}, "Did you mean --version?"},
      {{"inspect", kTinyLlama, "--model", kTinyLlama}, "found the argument \"" + kTinyLlama},
      {{"tokenize", "--model", kTinyLlama, "--text", "\xFF"}, "--text"},
      {{"generate", "--model", kTinyLlama, "--prompt", "\xFF"}, "--prompt"},
  });
}

TEST(BadOptionTest, WhatIsMissingIsNamed) {
  ExpectRefused({
      {{"quantize", "--out", "x"}, "quantize: expected --model IN (the 16-bit model folder)"},
      {{"recipe"}, "recipe: expected action show|list ("},
      {{"quantize", "--out", "x", "--model"},
       "--model: expected a value behind it: IN, found the end of the command line"},
      {{"inspect", "--model", kTinyLlama, "--threads"}, "--threads: expected a value behind it: N"},
      {{"quantize", "--model", "--out", "x"},
       "--model: expected a value behind it: IN, found the option --out"},
      {{"quantize", "--calib", "--model", kTinyLlama, "--out", "x"},
       "--calib: expected a value behind it: self|FILE, found the option --model"},
  });
}

TEST(BadOptionTest, WhatIsTooMuchIsNamed) {
  ExpectRefused({
      {{"inspect", "--model", kTinyLlama, "--model", "x"}, "--model: expected one value, found 2"},
      {{"inspect", "--model", kTinyLlama, "--quiet=maybe"},
       "--quiet: expected no value, found \"maybe\""},
      {{"inspect", "--model", kTinyLlama, "--quiet=--no-progressX"},
       "--quiet: expected no value, found \"--no-progressX\""},
      {{"recipe", "show", "fast", "block"}, "expected no more arguments, found the argument"},
      {{"recipe", "show", "fast", "block"}, "found the argument \"block\""},
      {{"tokenize", "--model", kTinyLlama, "--text", "x", "--file", "y"},
       "tokenize: expected one of --text, --file and --jsonl, found 2 of them"},
  });
}

TEST(BadOptionTest, UnknownCommandsAndOptionsAreAnsweredWithTheNearest) {
  ExpectRefused({
      {{"quantise", "--model", "x"}, "command line: expected a known command, found \"quantise\""},
      {{"quantise"}, "Did you mean quantize?"},
      {{"complition"}, "Did you mean completion?"},
      {{"frobnicate"}, "See paroquant --help."},
      {{"quantize", "--modle", "x"},
       "expected a known option, found \"--modle\". Did you mean --mo"},
      {{"quantize", "--calib-sequence=8"}, "Did you mean --calib-sequences?"},
      {{"quantize", "--frobnicate"}, "See paroquant quantize --help."},
  });
}

TEST(BadOptionTest, CalibrationIsOnFilesOrOnSamples) {
  const TemporaryFolder folder;
  const std::string out = (folder.path() / "out").string();
  ExpectRefused({{{"quantize", "--model", kTinyLlama, "--out", out, "--calib", "self",
                   DataPath("tiny-llama/sample_calibration.txt").string()},
                  "--calib: expected either self or files, found both"}});
  EXPECT_FALSE(std::filesystem::exists(out));
}

// Before the model is read, so that nobody waits for it.
TEST(BadOptionTest, OutIsLookedAtBeforeTheModel) {
  const TemporaryFolder folder;
  const std::string model = (folder.path() / "absent").string();
  ExpectRefused({
      {{"quantize", "--model", model, "--out", kTinyLlama}, "in it"},
      {{"quantize", "--model", model, "--out", model + "/out"}, "inside"},
  });
}

TEST(BadOptionTest, QuietAndLogLevelHideProgressAndNotes) {
  const TemporaryFolder folder;
  std::vector<std::string> words = {
      "quantize", "--model", kTinyLlama, "--out", (folder.path() / "out").string(),
      "--recipe", "rtn",     "--bits",   "8",     "--overwrite"};
  const auto run = [&](const std::vector<std::string>& more) {
    std::vector<std::string> all = words;
    all.insert(all.end(), more.begin(), more.end());
    return RunCli(all);
  };
  const auto usual = run({});
  EXPECT_THAT(usual.error, HasSubstr("quantizing: 100%, block 3/3, layer 21/21"));
  EXPECT_THAT(usual.error, HasSubstr("warning: 21 layers in other than 4 bits"));
  EXPECT_THAT(usual.out, HasSubstr("down_proj"));
  const auto warnings = run({"--log-level", "warning"});
  EXPECT_THAT(warnings.error, ::testing::Not(HasSubstr("quantizing")));
  EXPECT_THAT(warnings.error, HasSubstr("warning: 21 layers"));
  EXPECT_EQ(run({"--log-level", "error"}).error, "");
  const auto quiet = run({"--quiet"});
  EXPECT_EQ(quiet.error, "");
  EXPECT_EQ(quiet.out, "");
}

}  // namespace
}  // namespace paroquant
