#include "paroquant/io/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/testing/error_of.h"

namespace paroquant::io {
namespace {

using testing::ErrorOf;
using ::testing::HasSubstr;

TEST(JsonTest, ObjectsKeepTheOrderOfTheirKeys) {
  EXPECT_EQ(ParseJson(R"({"b": 1, "a": 2})", "f").dump(), R"({"b":1,"a":2})");
  EXPECT_EQ(ParseSortedJson(R"({"b": 1, "a": 2})", "f").dump(), R"({"a":2,"b":1})");
}

TEST(JsonTest, BadTextIsAnInputErrorThatNamesTheFile) {
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("{} x"), std::string("{\"a\":1,\"a\":2}"),
        std::string("[{\"a\":{},\"a\":2}]"), std::string("\"\xff\""), std::string("[1e999]"),
        std::string("{}\0x", 4), std::string(100'000, '[')}) {
    for (const auto& parse : {std::function<void()>([&] { ParseJson(text, "the file"); }),
                              std::function<void()>([&] { ParseSortedJson(text, "the file"); })}) {
      const Error error = ErrorOf(parse);
      EXPECT_EQ(error.kind(), ErrorKind::kInput) << text.substr(0, 20);
      EXPECT_THAT(error.what(), HasSubstr("the file: expected valid JSON")) << text.substr(0, 20);
    }
  }
}

// To add a key to an ordered object walks it: a million would take hours.
TEST(JsonTest, ObjectsOfManyKeysAreRefused) {
  std::string text = "{";
  for (int i = 0; i < 100'000; ++i) text += fmt::format("\"{}\":0,", i);
  text += "\"end\":0}";
  EXPECT_THAT(ErrorOf([&] { ParseJson(text, "f"); }).what(), HasSubstr("found an object of 14"));
  EXPECT_EQ(ParseSortedJson(text, "f").size(), 100'001);
}

TEST(JsonTest, DownloadsThatWentWrongAreRecognised) {
  const Error pointer =
      ErrorOf([] { ParseJson("version https://git-lfs.github.com/spec/v1", "f"); });
  EXPECT_THAT(pointer.what(), HasSubstr("found a Git LFS pointer"));
  EXPECT_THAT(pointer.parts().hint, HasSubstr("git lfs pull"));
  for (const char* page : {"<html>", "<!DOCTYPE HTML>", "\n\t <!doctype html>"}) {
    EXPECT_THAT(ErrorOf([&] { ParseJson(page, "f"); }).what(), HasSubstr("found a web page"));
  }
}

TEST(JsonObjectTest, ReadsValuesOfTheKindAskedFor) {
  const Json json =
      ParseJson(R"({"i": -3, "x": 0.5, "s": "t", "b": true, "n": null, "o": {}})", "f");
  const JsonObject object(json, "f");
  EXPECT_EQ(object.Get<int>("i"), -3);
  EXPECT_EQ(object.Get<double>("i"), -3.0);
  EXPECT_EQ(object.Get<double>("x"), 0.5);
  EXPECT_EQ(object.Get<std::string>("s"), "t");
  EXPECT_TRUE(object.Get<bool>("b"));
  EXPECT_EQ(object.GetOr<int>("n", 7), 7);
  EXPECT_EQ(object.GetOr<int>("absent", 7), 7);
  EXPECT_EQ(object.Object("o").where(), "f: o");
}

TEST(JsonObjectTest, IntegersAreNeverCutToWhatFits) {
  const Json json =
      ParseJson(R"({"i": 4294967297, "n": -2147483649, "u": 18446744073709551615})", "f");
  const JsonObject object(json, "f");
  EXPECT_EQ(object.Get<int64_t>("i"), 4294967297);
  EXPECT_EQ(object.Get<uint64_t>("u"), 18446744073709551615U);
  EXPECT_THAT(ErrorOf([&] { object.Get<int32_t>("i"); }).what(),
              HasSubstr("f: i: expected an integer between -2147483648 and 2147483647, found "
                        "4294967297"));
  EXPECT_EQ(ErrorOf([&] { object.Get<int32_t>("n"); }).kind(), ErrorKind::kInput);
  EXPECT_EQ(ErrorOf([&] { object.Get<int64_t>("u"); }).kind(), ErrorKind::kInput);
  EXPECT_EQ(ErrorOf([&] { object.Get<uint64_t>("n"); }).kind(), ErrorKind::kInput);
}

TEST(JsonObjectTest, WrongKindsNameKeyExpectationAndFinding) {
  const Json json = ParseJson(R"({"x": 0.5, "s": "3"})", "f");
  const JsonObject object(json, "f");
  EXPECT_STREQ(ErrorOf([&] { object.Get<int>("x"); }).what(),
               "f: x: expected an integer, found 0.5. Compare with the model's original file.");
  EXPECT_THAT(ErrorOf([&] { object.GetOr<int>("s", 1); }).what(), HasSubstr("found \"3\""));
  EXPECT_THAT(ErrorOf([&] { object.Get<bool>("absent"); }).what(), HasSubstr("found nothing"));
  const Error number = ErrorOf([&] { JsonObject(json.at("x"), "f: x"); });
  EXPECT_THAT(number.what(), HasSubstr("expected an object"));
  EXPECT_NE(number.parts().hint, "");
}

}  // namespace
}  // namespace paroquant::io
