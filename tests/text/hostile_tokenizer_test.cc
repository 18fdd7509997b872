// Tokenizers that want all time or memory, or hide a part of themselves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "paroquant/base/file.h"
#include "paroquant/io/json.h"
#include "paroquant/text/tokenizer.h"
#include "tests/testing/error_of.h"
#include "tests/testing/paths.h"

namespace paroquant::text {
namespace {

using io::Json;
using testing::ErrorOf;
using ::testing::HasSubstr;

Json OneTokenTokenizer() {
  return Json::parse(R"({"model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}})");
}

// What is wrong with a tokenizer file of this text, or with encoding and decoding by it.
Error FaultOf(const std::string& text) {
  const testing::TemporaryFolder folder;
  const auto path = folder.path() / "tokenizer.json";
  WriteFile(path, text);
  return ErrorOf([&] {
    const auto tokenizer = Tokenizer::Load(path);
    tokenizer.Decode(tokenizer.Encode("a ab \u00e9", /*add_special_tokens=*/true),
                     /*skip_special_tokens=*/false);
  });
}

// `count` times the same step.
Json Steps(const char* key, const Json& step, size_t count) {
  return {{"type", "Sequence"}, {key, Json(count, step)}};
}

TEST(HostileTokenizerTest, TextsDoNotGrowWithoutBounds) {
  const Json doubling = {{"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", "aa"}};
  Json json = OneTokenTokenizer();
  json["normalizer"] = Steps("normalizers", doubling, 40);
  EXPECT_EQ(FaultOf(json.dump()).kind(), ErrorKind::kUnsupported);
  json["normalizer"] = Steps("normalizers", Steps("normalizers", doubling, 40), 40);
  EXPECT_EQ(FaultOf(json.dump()).kind(), ErrorKind::kUnsupported);
  json["normalizer"] = {{"type", "Prepend"}, {"prepend", std::string(1'000'000, 'a')}};
  EXPECT_EQ(FaultOf(json.dump()).kind(), ErrorKind::kUnsupported);

  json = OneTokenTokenizer();
  json["pre_tokenizer"] = Steps("pretokenizers", {{"type", "ByteLevel"}, {"use_regex", false}}, 40);
  EXPECT_EQ(FaultOf(json.dump()).kind(), ErrorKind::kUnsupported);
  json["pre_tokenizer"] = {{"type", "Metaspace"}, {"replacement", std::string(1'000'000, 'a')}};
  EXPECT_THAT(FaultOf(json.dump()).what(), HasSubstr("replacement: expected one character"));

  json = OneTokenTokenizer();
  json["decoder"] = Steps("decoders", doubling, 40);
  EXPECT_EQ(FaultOf(json.dump()).kind(), ErrorKind::kUnsupported);
}

TEST(HostileTokenizerTest, IdsDoNotMakeALargeTable) {
  Json json = OneTokenTokenizer();
  json["model"]["vocab"]["b"] = 10'000'000;
  EXPECT_THAT(FaultOf(json.dump()).what(), HasSubstr("expected an id in [0, "));
}

TEST(HostileTokenizerTest, SpecialTokensAroundATextAreFew) {
  Json json = OneTokenTokenizer();
  const Json token = {{"SpecialToken", {{"id", "x"}}}};
  json["post_processor"] = {{"type", "TemplateProcessing"},
                            {"single", Json(1'000, token)},
                            {"special_tokens", {{"x", {{"id", "x"}, {"ids", Json(1'000, 0)}}}}}};
  EXPECT_THAT(FaultOf(json.dump()).what(), HasSubstr("special tokens around a text at most"));
}

TEST(HostileTokenizerTest, ObjectsOfManyKeysAreRefused) {
  Json::object_t keys;
  for (int i = 0; i < 50'000; ++i) keys.push_back({std::to_string(i), 0});
  Json json = OneTokenTokenizer();
  json["post_processor"] = keys;
  EXPECT_THAT(FaultOf(json.dump()).what(), HasSubstr("settings of fewer keys"));
}

TEST(HostileTokenizerTest, NothingHidesBehindAZeroByte) {
  EXPECT_THAT(FaultOf(OneTokenTokenizer().dump() + '\0' + "hidden").what(),
              HasSubstr("a zero byte"));
}

TEST(HostileTokenizerTest, TablesStandThereOnce) {
  for (const char* twice : {R"("vocab": {"a": 0}, "vocab": {"b": 1}, "merges": [])",
                            R"("vocab": {"a": 0}, "merges": [], "merges": [])",
                            R"("vocab": {"a": 0}, "merges": [], "vocab": 5)"}) {
    EXPECT_THAT(FaultOf(std::string(R"({"model": {)") + twice + "}}").what(),
                HasSubstr("twice in one object"))
        << twice;
  }
}

}  // namespace
}  // namespace paroquant::text
