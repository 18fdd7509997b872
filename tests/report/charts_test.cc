// What charts draw, read back from the SVG.
#include <gmock/gmock.h>

#include <cmath>

#include "report/heat_map.h"
#include "report/histogram_chart.h"
#include "report/xy_chart.h"
#include "tests/report/xml.h"

namespace paroquant::report {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::ParseXml;
using testing::XmlElement;

std::vector<std::string> CellTexts(const XmlElement& row) {
  std::vector<std::string> texts;
  for (const XmlElement& cell : row.children) texts.push_back(cell.AllText());
  return texts;
}

double Number(const XmlElement& element, const char* attribute) {
  return std::stod(element.attributes.at(attribute));
}

const Caption kCaption = {"Title <1>", "What it \"shows\"."};

TEST(XyChartTest, MarksLieWhereTheirValuesAre) {
  const XyChart chart{.caption = kCaption,
                      .x_label = "x",
                      .y_label = "y",
                      .series = {{"a", {{0, 0}, {5, 10, 2}, {10, 5}}}, {"b", {{5, NAN}}}}};
  const XmlElement figure = ParseXml(Draw(chart).source());
  std::vector<const XmlElement*> dots;
  for (const XmlElement* circle : figure.All("circle")) {
    if (circle->All("title").size() == 1) dots.push_back(circle);  // those of the legend have none
  }
  ASSERT_EQ(dots.size(), 3U);
  const double left = Number(*dots[0], "cx");
  const double right = Number(*dots[2], "cx");
  EXPECT_NEAR(Number(*dots[1], "cx"), (left + right) / 2, 0.02);
  EXPECT_LT(Number(*dots[1], "cy"), Number(*dots[2], "cy"));  // up is less
  EXPECT_LT(Number(*dots[2], "cy"), Number(*dots[0], "cy"));
  int deviations = 0;
  for (const XmlElement* line : figure.All("line")) {
    if (!line->attributes.at("class").starts_with("deviation")) continue;
    ++deviations;
    EXPECT_NEAR((Number(*line, "y1") + Number(*line, "y2")) / 2, Number(*dots[1], "cy"), 0.02);
  }
  EXPECT_EQ(deviations, 1);
}

TEST(XyChartTest, SaysInWordsAndInATableWhatItShows) {
  const XyChart chart{
      .caption = kCaption, .x_label = "x", .y_label = "y", .series = {{"a<b", {{1, 0.25}}}}};
  const XmlElement figure = ParseXml(Draw(chart).source());
  const XmlElement& picture = *figure.All("svg").front();
  EXPECT_EQ(picture.attributes.at("role"), "img");
  EXPECT_EQ(picture.attributes.at("aria-label"), "Title <1>. What it \"shows\".");
  EXPECT_EQ(picture.All("desc").front()->text, kCaption.description);
  const auto rows = figure.All("tr");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_THAT(CellTexts(*rows[0]), ElementsAre("Series", "x", "y"));
  EXPECT_THAT(CellTexts(*rows[1]), ElementsAre("a<b", "1.00", "0.250"));
  for (const XmlElement* head : figure.All("th")) {
    EXPECT_EQ(head->attributes.count("scope"), 1U) << head->AllText();
  }
}

TEST(XyChartTest, WholeNumbersAreNoMeasurements) {
  const XyChart chart{.caption = kCaption,
                      .x_label = "block",
                      .y_label = "y",
                      .x_scale = ScaleKind::kWhole,
                      .series = {{"a", {{0, 3}, {1, 2}, {1234, 0.5}}}}};
  const XmlElement figure = ParseXml(Draw(chart).source());
  const auto rows = figure.All("tr");
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_THAT(CellTexts(*rows[1]), ElementsAre("a", "0", "3.00"));
  EXPECT_THAT(CellTexts(*rows[2]), ElementsAre("a", "1", "2.00"));
  EXPECT_THAT(CellTexts(*rows[3]), ElementsAre("a", "1234", "0.500"));
  EXPECT_THAT(figure.AllText(), HasSubstr("a: 2.00 at block 1"));
}

TEST(HistogramChartTest, LeavesEmptyEndsOutAndKeepsAllCounts) {
  const Distributions data{.edges = {0, 1, 2, 3, 4},
                           .series = {{"before", {0, 5, 0, 0}}, {"after", {0, 0, 7, 0}}}};
  const XmlElement figure = ParseXml(
      Draw(HistogramChart{.caption = kCaption, .x_label = "size", .y_label = "n", .data = data})
          .source());
  const auto rows = figure.All("tr");
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_THAT(CellTexts(*rows[0]), ElementsAre("size", "before", "after"));
  EXPECT_THAT(CellTexts(*rows[1]), ElementsAre("1.00 to 2.00", "5", "0"));
  EXPECT_THAT(CellTexts(*rows[2]), ElementsAre("2.00 to 3.00", "0", "7"));
  int outlines = 0;
  for (const XmlElement* path : figure.All("path")) {
    outlines += path->attributes.at("class").starts_with("bars") ? 1 : 0;
  }
  EXPECT_EQ(outlines, 2);
}

TEST(HistogramChartTest, NothingCountedIsStillAPicture) {
  const Distributions data{.edges = {0, 1}, .series = {{"none", {0}}}};
  for (const ScaleKind scale : {ScaleKind::kLinear, ScaleKind::kLogarithmic}) {
    const HistogramChart chart{
        .caption = kCaption, .x_label = "x", .y_label = "n", .y_scale = scale, .data = data};
    EXPECT_THAT(Draw(chart).source(), ::testing::Not(HasSubstr("nan")));
  }
}

TEST(HeatMapTest, DeeperCellsAreGreaterValues) {
  const HeatMap map{.caption = kCaption,
                    .x_label = "column",
                    .y_label = "row",
                    .value_label = "angle",
                    .columns = 4,
                    .rows = 2,
                    .cells = {{0, 0, 1}, {3, 1, 2}},
                    .numbers = {.caption = "c", .columns = {{"a"}, {"b"}}, .rows = {{"1", "2"}}}};
  const XmlElement figure = ParseXml(Draw(map).source());
  const auto groups = figure.All("g");
  const auto cells = groups.front()->All("rect");
  ASSERT_EQ(cells.size(), 3U);  // the floor first
  EXPECT_EQ(cells[1]->attributes.at("fill-opacity"), "0.500");
  EXPECT_EQ(cells[2]->attributes.at("fill-opacity"), "1.000");
  EXPECT_NEAR(Number(*cells[2], "x") + Number(*cells[2], "width"),
              Number(*cells[0], "x") + Number(*cells[0], "width"), 0.02);
  EXPECT_NEAR(Number(*cells[2], "y") + Number(*cells[2], "height"),
              Number(*cells[0], "y") + Number(*cells[0], "height"), 0.02);
}

}  // namespace
}  // namespace paroquant::report
