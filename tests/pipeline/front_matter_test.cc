#include "pipeline/front_matter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "paroquant/base/printable.h"
#include "paroquant/base/rng.h"
#include "paroquant/io/json.h"

namespace paroquant::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::array kKeys = {"license", "language", "license_link"};

FrontMatter Parse(std::string_view file) { return ParseFrontMatter(file, kKeys); }

TEST(FrontMatterTest, ReadsScalarsAndListsAsPublishedCardsHaveThem) {
  const FrontMatter facts = Parse(
      "---\n"
      "# a comment\n"
      "license: apache-2.0  # the usual\n"
      "license_link: 'https://example.org/it''s#part'\n"
      "widget:\n"
      "  - license: no key of ours\n"
      "language:\n"
      "- en\n"
      "- \"no\"   # Norwegian\n"
      "\n"
      "  - zh-Hant\n"
      "---\n"
      "license: not in the head\n");
  EXPECT_EQ(facts.Text("license"), "apache-2.0");
  EXPECT_EQ(facts.Text("license_link"), "https://example.org/it's#part");
  EXPECT_TRUE(facts.values.at("language").is_list);
  EXPECT_THAT(facts.values.at("language").items, ElementsAre("en", "no", "zh-Hant"));
  EXPECT_THAT(facts.problems, IsEmpty());
}

TEST(FrontMatterTest, ReadsListsInBracketsByteOrderMarksAndWindowsLines) {
  const FrontMatter facts =
      Parse("\xEF\xBB\xBF---\r\nlanguage: [en, 'fr' , \"d\\u00e9\"] # three\r\n---\r\n");
  EXPECT_THAT(facts.values.at("language").items, ElementsAre("en", "fr", "dé"));
}

TEST(FrontMatterTest, NothingIsGuessed) {
  for (const char* value :
       {" |\n  text", " >-\n  text", " {a: b}", " &anchor x", " *alias", " !tag x", " [en, [fr]]",
        " [en", " 'open", " \"open\\\"", " \"\\x41\"", " a: b", "\n  key: value", "\n- a: b",
        " 'a' b", "\n-\n- x", " ? x", " ]"}) {
    const FrontMatter facts = Parse(std::string("---\nlicense:") + value + "\n---\n");
    EXPECT_FALSE(facts.values.contains("license")) << value;
    EXPECT_THAT(facts.problems, ElementsAre(HasSubstr("\"license\""))) << value;
  }
}

TEST(FrontMatterTest, FilesWithoutAHeadHaveNothing) {
  for (const std::string& file :
       {std::string(), std::string("---"), std::string("# Title\n---\nlicense: mit\n---\n"),
        std::string("---\nlicense: mit\n"), std::string("----\nlicense: mit\n---\n"),
        "---\n" + std::string(1 << 20, 'x') + "\nlicense: mit\n---\n"}) {
    const FrontMatter facts = Parse(file);
    EXPECT_THAT(facts.values, IsEmpty()) << file.substr(0, 40);
    EXPECT_THAT(facts.problems, IsEmpty());
  }
}

TEST(FrontMatterTest, BinaryHeadsAreSaidToBe) {
  for (const std::string& bad : {std::string("\xFF\xFE"), std::string("a\0b", 3)}) {
    const FrontMatter facts = Parse("---\nlicense: mit\nother: " + bad + "\n---\n");
    EXPECT_THAT(facts.values, IsEmpty());
    EXPECT_THAT(facts.problems, ElementsAre(HasSubstr("no UTF-8")));
  }
}

TEST(FrontMatterTest, AnyBytesAreTaken) {
  Rng rng(1);
  constexpr std::string_view kBytes = "-:'\"[],#\n\r \\license{}\x80\xC3\xA9|>";
  for (int i = 0; i < 20000; ++i) {
    std::string file = "---\nlicense: ";
    for (uint64_t left = rng.Below(24); left > 0; --left) file += kBytes[rng.Below(kBytes.size())];
    const FrontMatter facts = Parse(file + "\n---\n");
    // What was read is written as a text that JSON, a part of YAML, reads back.
    for (const auto& [key, value] : facts.values) {
      for (const std::string& item : value.items) {
        const std::string yaml = YamlText(item);
        if (yaml == item) continue;
        EXPECT_EQ(io::Json::parse(yaml).get<std::string>(), Printable(item));
      }
    }
  }
}

TEST(FrontMatterTest, TextsThatYamlWouldTakeForSomethingElseAreQuoted) {
  for (const char* plain : {"apache-2.0", "en", "zh-Hant", "Qwen/Qwen3-0.6B", "text-generation"}) {
    EXPECT_EQ(YamlText(plain), plain);
  }
  for (const char* other :
       {"",  "no", "No",  "NULL", "true", "1.0", "2026-01-01", "-", "a: b", "a #b",
        "'", "\"", "[x]", "{x}",  "*x",   "é",   "a\nb",       "~", "@x",   "x:"}) {
    const std::string yaml = YamlText(other);
    EXPECT_TRUE(yaml.starts_with('"') && yaml.ends_with('"')) << yaml;
    if (std::string_view(other) != "a\nb") {
      EXPECT_EQ(io::Json::parse(yaml).get<std::string>(), other);
    }
  }
  EXPECT_EQ(YamlText("a\nb\x7F"), "\"a?b?\"");
}

}  // namespace
}  // namespace paroquant::pipeline
