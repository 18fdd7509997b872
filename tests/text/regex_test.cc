#include "text/regex.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "paroquant/base/error.h"

namespace paroquant::text {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> Matches(std::string_view pattern, std::string_view text) {
  const Regex regex(pattern, "a test");
  Regex::Search search(regex, text);
  std::vector<std::string> matches;
  while (const auto match = search.Next()) matches.emplace_back(match->In(text));
  return matches;
}

TEST(RegexTest, FindsMatchesFromLeftToRight) {
  EXPECT_THAT(Matches(R"(\p{L}+|\p{N}{1,3})", "naïve 12345 字"),
              ElementsAre("naïve", "123", "45", "字"));
  EXPECT_THAT(Matches("x", "abc"), IsEmpty());
}

TEST(RegexTest, AnEmptyMatchNeverTouchesTheOneBefore) {
  EXPECT_THAT(Matches("a*", "baac"), ElementsAre("", "aa", ""));
  EXPECT_THAT(Matches("", "é"), ElementsAre("", ""));
}

TEST(RegexTest, WhitespaceIsThePropertyWhiteSpace) {
  EXPECT_THAT(Matches(R"(\s)", "a\u180E\u0085\u3000\v"), ElementsAre("\u0085", "\u3000", "\v"));
  EXPECT_THAT(Matches(R"([^\s])", "\u180E \u2028"), ElementsAre("\u180E"));
  EXPECT_THAT(Matches(R"([\S])", "\u180E \u2028a"), ElementsAre("\u180E", "a"));
  EXPECT_THAT(Matches(R"(\s+(?!\S))", "a   b  "), ElementsAre("  ", "  "));
}

TEST(RegexTest, WordCharactersIncludeMarksAndConnectors) {
  EXPECT_THAT(Matches(R"(\w+)", "e\u0301a\u203Fb c-1"), ElementsAre("e\u0301a\u203Fb", "c", "1"));
  EXPECT_THAT(Matches(R"(\be\w*)", "e\u0301 \u0301e e"), ElementsAre("e\u0301", "e"));
}

TEST(RegexTest, RubysEscapesKeepTheirMeaning) {
  EXPECT_THAT(Matches(R"(\h+)", "fe 0xg"), ElementsAre("fe", "0"));
  EXPECT_THAT(Matches(R"([\u4e00-\u9fa5]+)", "a漢字b"), ElementsAre("漢字"));
  EXPECT_THAT(Matches(R"(a{,2}b)", "aaab"), ElementsAre("aab"));
  EXPECT_THAT(Matches(R"((?m:a.)|b.)", "a\nb\n"), ElementsAre("a\n"));
  EXPECT_THAT(Matches(R"(^a$)", "a\na"), ElementsAre("a", "a"));
}

TEST(RegexTest, SetsInsideSetsAreUnions) {
  EXPECT_THAT(Matches(R"( ?[^(\s|[.,!?…。])]+)", "one, two(three)"),
              ElementsAre("one", " two", "three"));
  EXPECT_THAT(Matches(R"([a[bc]d]+)", "abcde"), ElementsAre("abcd"));
  EXPECT_THAT(Matches(R"([[:alpha:]]+)", "ab1"), ElementsAre("ab"));
  EXPECT_THAT(Matches(R"([]a]+)", "]a"), ElementsAre("]a"));
}

TEST(RegexTest, ScriptsAreNotTheirExtensions) {
  // U+3001 is common to many scripts, Han among its extensions.
  EXPECT_THAT(Matches(R"(\p{Han}+)", "漢、字"), ElementsAre("漢", "字"));
  EXPECT_THAT(Matches(R"([^\p{Han}])", "漢、字"), ElementsAre("、"));
}

TEST(RegexTest, CaseFoldsBeyondAscii) {
  EXPECT_THAT(Matches(R"((?i:'s|'t))", "'S 'ſ 'T"), ElementsAre("'S", "'ſ", "'T"));
}

TEST(RegexTest, WhatHasNoCounterpartIsUnsupported) {
  for (const char* pattern :
       {R"([a-z&&[aeiou]])", R"([a[^b]])", R"(\p{N}{1,3}+)", R"(a{2}?)", R"([\W])", "(", "[a"}) {
    try {
      const Regex regex(pattern, "file: key");
      FAIL() << pattern;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
      EXPECT_EQ(error.parts().where, "file: key");
    }
  }
}

TEST(RegexTest, DeepBacktrackingIsNoFault) {
  const std::string text(1000000, 'a');
  EXPECT_THAT(Matches("(?:a|b)*c|a+", text), ElementsAre(text));
}

}  // namespace
}  // namespace paroquant::text
