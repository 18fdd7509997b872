#include "paroquant/text/tokenizer.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <vector>

#include "paroquant/base/error.h"
#include "paroquant/base/file.h"
#include "paroquant/base/parallel.h"
#include "paroquant/io/json.h"
#include "tests/testing/paths.h"
#include "tests/testing/processor_time.h"

namespace paroquant::text {
namespace {

using io::Json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A tokenizer whose every token is a character, but for the merges; unknown ones are "?".
Json SmallTokenizer() {
  return Json::parse(R"({
    "added_tokens": [{"id": 20, "content": "<s>", "special": true}],
    "model": {"type": "BPE", "unk_token": "?",
              "vocab": {"?": 0, "a": 1, "b": 2, "c": 3, " ": 4, "▁": 5, ".": 6, "1": 7, "2": 8,
                        "ab": 9, "abc": 10, "▁a": 11, "aa": 12, "A": 13, "ﬁ": 14, "f": 15},
              "merges": ["a b", ["ab", "c"], "▁ a", "a a"]}
  })");
}

class TokenizerTest : public ::testing::Test {
 protected:
  Tokenizer Load(const Json& json) const {
    const auto path = folder_.path() / "tokenizer.json";
    WriteFile(path, json.dump());
    return Tokenizer::Load(path);
  }

  // The tokens of `text`, joined by "|".
  std::string Tokens(const Json& json, std::string_view text) const {
    const Tokenizer tokenizer = Load(json);
    std::string tokens;
    for (const int32_t id : tokenizer.Encode(text, false)) {
      if (!tokens.empty()) tokens += '|';
      tokens += tokenizer.IdToToken(id);
    }
    return tokens;
  }

  std::string TokensWith(const char* key, const std::string& component,
                         std::string_view text) const {
    Json json = SmallTokenizer();
    json[key] = Json::parse(component);
    return Tokens(json, text);
  }

  void ExpectFault(const std::string& text, ErrorKind kind, const std::string& message) const {
    const auto path = folder_.path() / "tokenizer.json";
    WriteFile(path, text);
    try {
      Tokenizer::Load(path);
      FAIL() << "nothing was thrown; not: " << message;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind) << error.what();
      EXPECT_THAT(error.what(), HasSubstr(path.string()));
      EXPECT_THAT(error.what(), HasSubstr(message));
    }
  }

  // The fault of the small tokenizer after a JSON patch "add" of `value` at `pointer`.
  void ExpectFaultWith(const std::string& pointer, const Json& value, ErrorKind kind,
                       const std::string& message) const {
    Json json = SmallTokenizer();
    json[Json::json_pointer(pointer)] = value;
    ExpectFault(json.dump(), kind, message);
  }

  const testing::TemporaryFolder folder_;
};

TEST_F(TokenizerTest, MergesByRankAndThenFromTheLeft) {
  EXPECT_EQ(Tokens(SmallTokenizer(), "abcaba"), "abc|ab|a");
  EXPECT_EQ(Tokens(SmallTokenizer(), "aaaaa"), "aa|aa|a");
  EXPECT_EQ(Tokens(SmallTokenizer(), "aab"), "a|ab");
  EXPECT_EQ(Tokens(SmallTokenizer(), ""), "");
}

TEST_F(TokenizerTest, UnknownCharactersBecomeTheUnknownToken) {
  Json json = SmallTokenizer();
  EXPECT_EQ(Tokens(json, "xya"), "?|?|a");
  json["model"]["fuse_unk"] = true;
  EXPECT_EQ(Tokens(json, "xya"), "?|a");
  json["model"]["unk_token"] = nullptr;
  EXPECT_EQ(Tokens(json, "xya"), "a");
}

TEST_F(TokenizerTest, WholePiecesComeBeforeMergesIfTheFileSaysSo) {
  Json json = SmallTokenizer();
  json["model"]["merges"] = {"a b"};
  EXPECT_EQ(Tokens(json, "abc"), "ab|c");
  json["model"]["ignore_merges"] = true;
  EXPECT_EQ(Tokens(json, "abc"), "abc");
}

TEST_F(TokenizerTest, IllFormedTextIsReadAsReplacementCharacters) {
  Json json = SmallTokenizer();
  json["model"]["vocab"]["\uFFFD"] = 16;
  EXPECT_EQ(Tokens(json, "a\xFF\xE2\x82"), "a|\uFFFD|\uFFFD");
}

TEST_F(TokenizerTest, NormalizersRewriteTheText) {
  EXPECT_EQ(TokensWith("normalizer", R"({"type": "Lowercase"})", "AAB"), "a|ab");
  EXPECT_EQ(TokensWith("normalizer", R"({"type": "NFKD"})", "ﬁ"), "f|?");
  EXPECT_EQ(TokensWith("normalizer", R"({"type": "NFC"})", "ﬁ"), "ﬁ");
  EXPECT_EQ(TokensWith("normalizer", R"({"type": "Strip"})", " \n a \u3000"), "a");
  EXPECT_EQ(
      TokensWith("normalizer",
                 R"({"type": "Replace", "pattern": {"Regex": "[xyz]+"}, "content": "a"})", "bxyzb"),
      "b|ab");
}

TEST_F(TokenizerTest, ComposesOverTheBordersOfPlainCharacters) {
  Json json = SmallTokenizer();
  json["normalizer"] = {{"type", "NFC"}};
  json["model"]["vocab"]["é"] = 16;
  json["model"]["vocab"]["ḗ"] = 17;
  EXPECT_EQ(Tokens(json, "ae\u0301b"), "a|é|b");
  EXPECT_EQ(Tokens(json, "e\u0301"), "é");
  EXPECT_EQ(Tokens(json, "ae\u0304\u0301a\u0301"), "a|ḗ|?");
}

TEST_F(TokenizerTest, SplitTreatsMatchesInFiveWays) {
  const auto split = [&](const std::string& behavior, bool inverted) {
    Json json = SmallTokenizer();
    json.erase("added_tokens");
    json["model"]["ignore_merges"] = true;
    json["model"]["merges"] = Json::array();
    for (const char* piece : {"a..", "..b", "..", ".b", "a.", "..b..", "."}) {
      json["model"]["vocab"].emplace(piece, json["model"]["vocab"].size());
    }
    json["pre_tokenizer"] = {{"type", "Split"},
                             {"pattern", {{"String", "."}}},
                             {"behavior", behavior},
                             {"invert", inverted}};
    return Tokens(json, "a..b");
  };
  EXPECT_EQ(split("Removed", false), "a|b");
  EXPECT_EQ(split("Isolated", false), "a|.|.|b");
  EXPECT_EQ(split("Contiguous", false), "a|..|b");
  EXPECT_EQ(split("MergedWithPrevious", false), "a.|.|b");
  EXPECT_EQ(split("MergedWithNext", false), "a|.|.b");
  EXPECT_EQ(split("Removed", true), ".|.");
  EXPECT_EQ(split("MergedWithPrevious", true), "a|.|.b");
}

TEST_F(TokenizerTest, PreTokenizersSetBordersForMerges) {
  EXPECT_EQ(
      TokensWith("pre_tokenizer", R"({"type": "Digits", "individual_digits": false})", "a12b"),
      "a|1|2|b");
  EXPECT_EQ(TokensWith("pre_tokenizer", R"({"type": "WhitespaceSplit"})", "a b\u3000ab"), "a|b|ab");
  EXPECT_EQ(TokensWith("pre_tokenizer", R"({"type": "Whitespace"})", "ab..a a"), "ab|.|.|a|a");
  EXPECT_EQ(TokensWith("pre_tokenizer", R"({"type": "Punctuation"})", "a.b"), "a|.|b");
}

TEST_F(TokenizerTest, MetaspaceBeginsPiecesByItsScheme) {
  const auto tokens = [&](const std::string& scheme) {
    return TokensWith("pre_tokenizer",
                      R"({"type": "Metaspace", "prepend_scheme": ")" + scheme +
                          R"(", "replacement": "▁", "split": true})",
                      "a b<s>a");
  };
  EXPECT_EQ(tokens("always"), "▁a|▁|b|<s>|▁a");
  EXPECT_EQ(tokens("first"), "▁a|▁|b|<s>|a");
  EXPECT_EQ(tokens("never"), "a|▁|b|<s>|a");
}

TEST_F(TokenizerTest, OldMetaspaceFilesSayWhetherToPrepend) {
  EXPECT_EQ(
      TokensWith("pre_tokenizer",
                 R"({"type": "Metaspace", "replacement": "▁", "add_prefix_space": true})", "a"),
      "▁a");
  EXPECT_EQ(
      TokensWith("pre_tokenizer",
                 R"({"type": "Metaspace", "replacement": "▁", "add_prefix_space": false})", "a"),
      "a");
}

TEST_F(TokenizerTest, AddedTokensObeyTheirFlags) {
  Json json = SmallTokenizer();
  const auto tokens = [&](const Json& flags, std::string_view text) {
    json["added_tokens"] = {{{"id", 20}, {"content", "ab"}},
                            {{"id", 21}, {"content", "abc."}, {"normalized", false}}};
    json["added_tokens"][0].update(flags);
    json["model"]["vocab"].erase("ab");
    json["model"]["vocab"].erase("abc");
    json["model"]["merges"] = Json::array();
    return Tokens(json, text);
  };
  EXPECT_EQ(tokens({{"normalized", false}}, "cabcabc."), "c|ab|c|abc.");
  EXPECT_EQ(tokens({{"single_word", true}}, "ab cab ab"), "ab| |c|a|b| |ab");
  EXPECT_EQ(tokens({{"lstrip", true}}, "c  ab c"), "c|ab| |c");
  EXPECT_EQ(tokens({{"rstrip", true}}, "c ab  c"), "c| |ab|c");
  EXPECT_EQ(tokens({{"lstrip", true}, {"rstrip", true}}, " ab ab "), "ab|ab");
}

TEST_F(TokenizerTest, NormalizedAddedTokensAreFoundAfterNormalization) {
  Json json = SmallTokenizer();
  json["normalizer"] = {{"type", "Lowercase"}};
  json["added_tokens"] = {{{"id", 20}, {"content", "Ab"}, {"normalized", true}},
                          {{"id", 21}, {"content", "C"}, {"normalized", false}}};
  EXPECT_EQ(Tokens(json, "abABCc"), "Ab|Ab|C|c");
}

TEST_F(TokenizerTest, PostProcessorsFrameTheIds) {
  Json json = SmallTokenizer();
  json["post_processor"] = Json::parse(R"({"type": "Sequence", "processors": [
      {"type": "ByteLevel"},
      {"type": "TemplateProcessing",
       "single": [{"Sequence": {"id": "A", "type_id": 0}},
                  {"SpecialToken": {"id": "end", "type_id": 0}}],
       "special_tokens": {"end": {"id": "end", "ids": [6, 7], "tokens": [".", "1"]}}},
      {"type": "RobertaProcessing", "cls": ["<s>", 20], "sep": ["c", 3]}]})");
  EXPECT_THAT(Load(json).Encode("a", true), ElementsAre(20, 1, 6, 7, 3));
  EXPECT_THAT(Load(json).Encode("a", false), ElementsAre(1));
}

TEST_F(TokenizerTest, DecodingLeavesOutSpecialAndForeignIds) {
  const Tokenizer tokenizer = Load(SmallTokenizer());
  const std::vector<int32_t> ids = {20, 1, -1, 19, 21, 1000000, 10};
  EXPECT_EQ(tokenizer.Decode(ids, false), "<s> a abc");
  EXPECT_EQ(tokenizer.Decode(ids, true), "a abc");
}

TEST_F(TokenizerTest, DecodersTurnTokensIntoText) {
  const auto decoded = [&](const std::string& decoder, const std::vector<int32_t>& ids) {
    Json json = SmallTokenizer();
    json["decoder"] = Json::parse(decoder);
    json["model"]["vocab"]["<0xC3>"] = 16;
    json["model"]["vocab"]["<0xA9>"] = 17;
    json["model"]["vocab"]["Ã"] = 18;
    return Load(json).Decode(ids, false);
  };
  EXPECT_EQ(decoded(R"({"type": "Metaspace", "prepend_scheme": "always"})", {11, 11}), "a a");
  EXPECT_EQ(decoded(R"({"type": "Metaspace", "prepend_scheme": "never"})", {11, 11}), " a a");
  EXPECT_EQ(decoded(R"({"type": "ByteFallback"})", {1, 16, 17, 1, 17, 16}), "aéa\uFFFD\uFFFD");
  EXPECT_EQ(decoded(R"({"type": "ByteLevel"})", {1, 18}), "a\uFFFD");
  EXPECT_EQ(decoded(R"({"type": "ByteLevel"})", {5, 1}), "▁a");
  EXPECT_EQ(decoded(R"({"type": "Sequence", "decoders": [{"type": "Fuse"},
                       {"type": "Strip", "content": "a", "start": 1, "stop": 2}]})",
                    {12, 2, 12, 1}),
            "aba");
}

TEST_F(TokenizerTest, TokensAndIdsAreFoundFromEachOther) {
  const Tokenizer tokenizer = Load(SmallTokenizer());
  EXPECT_EQ(tokenizer.vocab_size(), 21);
  EXPECT_EQ(tokenizer.TokenToId("abc"), 10);
  EXPECT_EQ(tokenizer.TokenToId("<s>"), 20);
  EXPECT_EQ(tokenizer.TokenToId("absent"), std::nullopt);
  EXPECT_EQ(tokenizer.IdToToken(20), "<s>");
  EXPECT_EQ(tokenizer.IdToToken(19), "");
  EXPECT_EQ(tokenizer.IdToToken(-1), "");
}

TEST_F(TokenizerTest, UntypedModelsWithMergesAreBpe) {
  Json json = SmallTokenizer();
  json["model"].erase("type");
  EXPECT_EQ(Tokens(json, "ab"), "ab");
}

TEST_F(TokenizerTest, DamagedFilesAreRefused) {
  const auto input = ErrorKind::kInput;
  ExpectFault("", input, "a syntax error at byte");
  ExpectFault("{\"model\": ", input, "a syntax error at byte");
  ExpectFault("[1]", input, "an object");
  ExpectFault("{}", input, "model: expected an object, found nothing");
  ExpectFault("{\"model\": {\"type\": \"BPE\"}, \"model\": 1}", input, "\"model\" twice");
  ExpectFault(std::string(100000, '['), input, "more than 64 levels");
  ExpectFault(R"({"model": {"type": "BPE", "merges": []}})", input, "model: vocab: expected");
  ExpectFault(R"({"model": {"type": "BPE", "vocab": {}}})", input, "model: merges: expected");
  ExpectFault(R"({"model": {"type": "BPE", "merges": [], "vocab": {"a": "b"}}})", input,
              "an integer id of \"a\"");
  ExpectFault(R"({"model": {"type": "BPE", "merges": [], "vocab": {"a": [0]}}})", input,
              "an integer id of \"a\", found []");
}

TEST_F(TokenizerTest, FaultsOfTheVocabularyNameTheToken) {
  const auto input = ErrorKind::kInput;
  ExpectFaultWith("/model/vocab/x", -1, input, "\"x\": expected an id in");
  ExpectFaultWith("/model/vocab/x", 18446744073709551615U, input, "\"x\": expected an id in");
  ExpectFaultWith("/model/vocab/x", 2000000000, input, "\"x\": expected an id in");
  ExpectFaultWith("/model/vocab/x", 3, input, "the id 3 of \"c\"");
  ExpectFaultWith("/model/vocab/x", 1.5, input, "an integer id of \"x\"");
  ExpectFaultWith("/model/unk_token", "none", input, "unk_token: expected a token");
  ExpectFaultWith("/added_tokens/0/id", 3, input, "\"<s>\": expected an id of its own");
  ExpectFaultWith("/added_tokens/0/content", "a", input, "expected the id 1 it has already");
  ExpectFaultWith("/added_tokens/0/content", 5, input, "added_tokens[0]: content");
  ExpectFaultWith("/added_tokens", "none", input, "added_tokens: expected an array");
}

TEST_F(TokenizerTest, FaultsOfMergesNameTheMerge) {
  const auto input = ErrorKind::kInput;
  ExpectFaultWith("/model/merges/1", "a x", input, "merges[1]: expected tokens");
  ExpectFaultWith("/model/merges/1", "b c", input, "merges[1]: expected tokens");
  ExpectFaultWith("/model/merges/1", "a", input, "as merge 1");
  ExpectFaultWith("/model/merges/1", "a b c", input, "as merge 1");
  ExpectFaultWith("/model/merges/1", {"a"}, input, "as merge 1");
  ExpectFaultWith("/model/merges/1", 5, input, "as merge 1");
  ExpectFaultWith("/model/merges/1", Json::object(), input, "as merge 1");
  ExpectFaultWith("/model/merges/1", {"a", Json::array({"b"})}, input, "as merge 1");
}

TEST_F(TokenizerTest, WhatIsNotSupportedIsNamed) {
  const auto unsupported = ErrorKind::kUnsupported;
  for (const char* type : {"Unigram", "WordPiece", "WordLevel"}) {
    ExpectFaultWith("/model/type", type, unsupported, type);
  }
  ExpectFault(R"({"model": {"type": "Unigram", "vocab": [["a", -1.5]]}})", unsupported, "Unigram");
  for (const char* key : {"normalizer", "pre_tokenizer", "post_processor", "decoder"}) {
    ExpectFaultWith(std::string("/") + key, {{"type", "Precompiled"}}, unsupported,
                    std::string(key) + ": type: expected");
  }
  ExpectFaultWith("/model/dropout", 0.1, unsupported, "dropout");
  ExpectFaultWith("/model/end_of_word_suffix", "</w>", unsupported, "end_of_word_suffix");
  ExpectFaultWith("/pre_tokenizer",
                  {{"type", "Split"}, {"pattern", {{"Regex", "("}}}, {"behavior", "Isolated"}},
                  unsupported, "pattern: Regex");
}

TEST_F(TokenizerTest, FaultsOfComponentsNameTheKey) {
  const auto input = ErrorKind::kInput;
  ExpectFaultWith("/normalizer", {{"type", "Sequence"}, {"normalizers", {{{"type", "Prepend"}}}}},
                  input, "normalizers[0]: prepend");
  ExpectFaultWith("/normalizer", "NFC", input, "normalizer");
  ExpectFaultWith("/pre_tokenizer", Json::object(), input, "pre_tokenizer: type");
  ExpectFaultWith("/decoder", {{"type", "Strip"}, {"content", ""}, {"start", 1}, {"stop", 0}},
                  input, "decoder: content");
  ExpectFaultWith("/post_processor",
                  {{"type", "BertProcessing"}, {"cls", {"a", 99}}, {"sep", {"a", 1}}}, input,
                  "post_processor: cls: expected ids in [0, 21)");
}

TEST_F(TokenizerTest, AMissingFileIsAFaultOfTheInput) {
  try {
    Tokenizer::Load(folder_.path() / "absent.json");
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
  }
}

TEST_F(TokenizerTest, TextWithoutBordersTakesNoQuadraticTime) {
  const Tokenizer tokenizer = Load(SmallTokenizer());
  const double start = testing::ProcessorSeconds();
  EXPECT_EQ(tokenizer.Encode(std::string(1 << 20, 'a'), false).size(), 1U << 19);
  EXPECT_LT(testing::ProcessorSeconds() - start, 60);
}

// Time that grew with the square of the length would be hours.
TEST_F(TokenizerTest, ATokenAndAWordOfTenMegabytesAreRead) {
  const std::string huge(10'000'000, 'z');
  Json json = SmallTokenizer();
  json["model"]["vocab"][huge] = 16;
  const double start = testing::ProcessorSeconds();
  const Tokenizer tokenizer = Load(json);
  EXPECT_EQ(tokenizer.Encode(huge, false).size(), huge.size()) << "unknown, one by one";
  EXPECT_EQ(tokenizer.Decode(std::vector<int32_t>{16}, false), huge);
  EXPECT_LT(testing::ProcessorSeconds() - start, 120);
}

// They are looked for at every position of a text.
TEST_F(TokenizerTest, AddedTokensAreShort) {
  const auto with = [](size_t length) {
    Json json = SmallTokenizer();
    json["added_tokens"][0]["content"] = std::string(length, 'a');
    return json;
  };
  EXPECT_THAT(Load(with(1024)).Encode(std::string(1024, 'a'), false), ElementsAre(20));
  ExpectFault(with(1025).dump(), ErrorKind::kInput, "content: expected at most 1024 bytes");
}

TEST_F(TokenizerTest, TokensMayHoldAZeroByteAndNoIllFormedText) {
  Json json = SmallTokenizer();
  json["model"]["vocab"][std::string("\0", 1)] = 16;
  EXPECT_THAT(Load(json).Encode(std::string_view("a\0b", 3), false), ElementsAre(1, 16, 2));
  for (const char* token : {"\xff\xfe", R"(\ud800)"}) {
    ExpectFault(fmt::format(R"({{"model": {{"vocab": {{"{}": 0}}, "merges": []}}}})", token),
                ErrorKind::kInput, "a syntax error at byte");
  }
}

TEST_F(TokenizerTest, ThreadsShareATokenizer) {
  const auto tokenizer = Tokenizer::Load(testing::DataPath("tiny-llama/tokenizer.json"));
  const std::string text = ReadFile(testing::DataPath("tiny-llama/sample_evaluation.txt"));
  const auto expected = tokenizer.Encode(text, false);
  std::atomic<int> equal = 0;
  ParallelFor(8, [&](int64_t) { equal += tokenizer.Encode(text, false) == expected ? 1 : 0; });
  EXPECT_EQ(equal, 8);
  EXPECT_EQ(tokenizer.Decode(expected, false), text);
}

}  // namespace
}  // namespace paroquant::text
