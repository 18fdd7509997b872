#include "paroquant/base/nearest_word.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace paroquant {
namespace {

TEST(NearestWordTest, DistanceCountsSingleEdits) {
  struct Distance {
    const char* a;
    const char* b;
    size_t edits;
  };
  for (const Distance& c : {Distance{"", "", 0},
                            {"", "abc", 3},
                            {"same", "same", 0},
                            {"kitten", "sitting", 3},
                            {"flaw", "lawn", 2},
                            {"saturday", "sunday", 3},
                            {"ab", "ba", 2},
                            {"verify", "veryfi", 2}}) {
    EXPECT_EQ(EditDistance(c.a, c.b), c.edits) << c.a << " " << c.b;
    EXPECT_EQ(EditDistance(c.b, c.a), c.edits) << c.b << " " << c.a;
  }
}

TEST(NearestWordTest, FindsTheNearestWithinAThirdOfTheWord) {
  const std::vector<std::string> known = {"quantize", "verify", "inspect", "generate"};
  EXPECT_EQ(NearestWord("quantise", known), "quantize");
  EXPECT_EQ(NearestWord("verfy", known), "verify");
  EXPECT_EQ(NearestWord("veri", known), "");  // two edits, one allowed
  EXPECT_EQ(NearestWord("verifi", known), "verify");
  EXPECT_EQ(NearestWord("train", known), "");
  EXPECT_EQ(NearestWord("", known), "");
  EXPECT_EQ(NearestWord("verify", {}), "");
}

TEST(NearestWordTest, TheFirstOfEquallyNearWordsWins) {
  EXPECT_EQ(NearestWord("cat", {"hat", "bat"}), "hat");
  EXPECT_EQ(NearestWord("cat", {"bat", "hat", "cat"}), "cat");
}

TEST(NearestWordTest, TheAllowanceCanBeGiven) {
  const std::vector<std::string> known = {"model.embed_tokens.weight", "lm_head.weight"};
  const std::string prefixed = "language_model.model.embed_tokens.weight";
  EXPECT_EQ(NearestWord(prefixed, known), "");
  EXPECT_EQ(NearestWord(prefixed, known, 14), "");
  EXPECT_EQ(NearestWord(prefixed, known, 15), known[0]);
  EXPECT_EQ(NearestWord("verify", {"verify"}, 0), "verify");
}

TEST(NearestWordTest, AWordCutShortIsLikelierThanTheNearest) {
  const std::vector<std::string> known = {"closed-form", "close", "none"};
  EXPECT_EQ(LikelyWord("closed", known), "closed-form");
  EXPECT_EQ(LikelyWord("nnoe", known), "");
  EXPECT_EQ(LikelyWord("nonee", known), "none");
  EXPECT_EQ(LikelyWord("", known), "");
}

}  // namespace
}  // namespace paroquant
