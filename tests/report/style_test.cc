// Contrast of the colours in the style sheet, as WCAG 2 defines it.
#include "report/style.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <regex>
#include <string>
#include <vector>

namespace paroquant::report {
namespace {

using Colours = std::map<std::string, std::string>;  // "#rrggbb" by name

// The blocks that set colours: light, dark, print.
std::vector<Colours> Themes() {
  const std::string css = kStyleSheet;
  const std::regex setting(R"(--([a-z0-9]+): #([0-9a-f]{6});)");
  std::vector<Colours> themes;
  for (auto i = std::sregex_iterator(css.begin(), css.end(), setting); i != std::sregex_iterator();
       ++i) {
    if ((*i)[1] == "back") themes.emplace_back();
    themes.back()[(*i)[1]] = (*i)[2];
  }
  return themes;
}

double Luminance(const std::string& colour) {
  constexpr double kWeights[] = {0.2126, 0.7152, 0.0722};
  double luminance = 0;
  for (size_t i = 0; i < 3; ++i) {
    const double value = std::stoi(colour.substr(2 * i, 2), nullptr, 16) / 255.0;
    const double linear = value <= 0.04045 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4);
    luminance += kWeights[i] * linear;
  }
  return luminance;
}

double Contrast(const std::string& a, const std::string& b) {
  const auto [dark, light] = std::minmax({Luminance(a), Luminance(b)});
  return (light + 0.05) / (dark + 0.05);
}

TEST(StyleTest, LettersAndMarksStandOutInEachTheme) {
  EXPECT_NEAR(Contrast("ffffff", "000000"), 21, 1e-9);
  const std::vector<Colours> themes = Themes();
  ASSERT_EQ(themes.size(), 3U);
  for (const Colours& theme : themes) {
    for (const char* name : {"text", "soft", "link", "c1", "c2", "c3", "c4", "c5", "c6"}) {
      for (const char* behind : {"back", "card"}) {
        EXPECT_GE(Contrast(theme.at(name), theme.at(behind)), 4.5) << name << " on " << behind;
      }
    }
  }
}

}  // namespace
}  // namespace paroquant::report
