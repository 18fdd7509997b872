// Whole pages: well-formed, in order for screen readers, sufficient in themselves, and true.
#include <gmock/gmock.h>

#include <functional>
#include <set>

#include "paroquant/report/evaluation_report.h"
#include "paroquant/report/model_report.h"
#include "paroquant/report/quantization_report.h"
#include "tests/report/xml.h"

namespace paroquant::report {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::ParseXml;
using testing::XmlElement;

// A name that any page has to bear.
constexpr char kHostile[] = "</style><script>alert('x')</script>&amp;\" \xFF \u00e4\u6f22";

LayerOutliers SomeOutliers() {
  return {.weights = {.edges = {0, 0.5, 1}, .series = {{"before", {5, 3}}, {"after", {8, 0}}}},
          .channels = {.edges = {0.5, 1, 2}, .series = {{"before", {1, 1}}, {"after", {2, 0}}}},
          .channels_are = "inputs"};
}

QuantizationReport SomeQuantization() {
  QuantizationReport report{.model = kHostile,
                            .recipe = kHostile,
                            .source_bytes = 1000,
                            .output_bytes = 300,
                            .bits_per_weight = 4.39,
                            .kl_divergence = 0.0171,
                            .kl_divergence_stderr = 0.0004,
                            .held_out_losses = {0.001, 0.002},
                            .facts = {{kHostile, kHostile, kHostile}},
                            .settings = kHostile,
                            .commands = {kHostile},
                            .notes = {kHostile}};
  for (int block = 0; block < 2; ++block) {
    report.layers.push_back({.name = "model.layers." + std::to_string(block) + ".q_proj",
                             .block = block,
                             .out_features = 8,
                             .in_features = 4,
                             .quantized = true,
                             .error = 0.0123 * (block + 1),
                             .rtn_error = 0.05,
                             .range_before = 6,
                             .range_after = 5,
                             .seconds = 1.5,
                             .notes = {kHostile},
                             .outliers = SomeOutliers()});
  }
  report.layers.push_back({.name = kHostile, .reason = kHostile});
  report.rotations = GroupRotations{.layer = kHostile,
                                    .group = 1,
                                    .group_size = 4,
                                    .rounds = {{{0, 1, 30}, {2, 3, -5}}, {{0, 2, 1}, {1, 3, 0}}}};
  return report;
}

EvaluationReport SomeEvaluation() {
  const EvaluatedDataset data{.name = kHostile,
                              .windows = 3,
                              .window = 256,
                              .perplexity = {12.5, 0.25},
                              .divergence = Divergence{{0.02, 0.001}, 0.9, {0.015, 0.002}}};
  const EvaluatedDataset reference{
      .name = kHostile, .windows = 3, .window = 256, .perplexity = {12.25, 0.25}, .divergence = {}};
  return {.baseline = kHostile,
          .baseline_model = EvaluatedModel{kHostile, 9'000'000, 16, 0, {reference}},
          .protocol = "paper",
          .models = {{kHostile, 2'000'000, 4.5, 100, {data}}, {"b", 8'000'000, 16, 90, {data}}},
          .commands = {kHostile}};
}

ModelReport SomeModel() {
  return {.model = kHostile,
          .facts = {{"Blocks", "2"}},
          .layers = {{"model.layers.0.q_proj", 0, 8, 4, "would be quantized",
                      WeightSummary{12.5, 3.5, 2, 5.4, SomeOutliers()}},
                     {kHostile, 1, 8, 4, kHostile, {}}},
          .commands = {kHostile}};
}

struct PageCase {
  const char* name;
  std::function<std::string()> write;
};

class PagesTest : public ::testing::TestWithParam<PageCase> {};

TEST_P(PagesTest, IsWellFormedAndNeedsNothingElse) {
  const std::string source = GetParam().write();
  EXPECT_TRUE(source.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"));
  const XmlElement page = ParseXml(source);
  EXPECT_TRUE(page.All("script").empty());
  for (const char* loads : {"http:", "https:", "src=", "url(", "@import"}) {
    EXPECT_THAT(source, Not(HasSubstr(loads)));
  }
  for (const XmlElement* link : page.All("a")) {
    EXPECT_EQ(link->attributes.at("href").front(), '#');
  }
}

TEST_P(PagesTest, IsInOrderForScreenReaders) {
  const XmlElement page = ParseXml(GetParam().write());
  for (const char* landmark : {"header", "nav", "main", "footer", "h1"}) {
    EXPECT_EQ(page.All(landmark).size(), 1U) << landmark;
  }
  std::set<std::string> ids;
  const std::function<void(const XmlElement&)> collect = [&](const XmlElement& element) {
    const auto id = element.attributes.find("id");
    if (id != element.attributes.end()) {
      EXPECT_TRUE(ids.insert(id->second).second) << id->second;
    }
    for (const XmlElement& child : element.children) collect(child);
  };
  collect(page);
  for (const XmlElement* link : page.All("a")) {
    EXPECT_EQ(ids.count(link->attributes.at("href").substr(1)), 1U);
  }
  for (const XmlElement* section : page.All("section")) {
    EXPECT_EQ(ids.count(section->attributes.at("aria-labelledby")), 1U);
    EXPECT_EQ(section->children.front().name, "h2");
  }
  for (const XmlElement* figure : page.All("figure")) {
    EXPECT_EQ(figure->All("figcaption").size(), 1U);
    EXPECT_EQ(figure->All("table").size(), 1U);  // the numbers
    EXPECT_FALSE(figure->All("svg").front()->attributes.at("aria-label").empty());
  }
  for (const XmlElement* table : page.All("table")) EXPECT_EQ(table->All("caption").size(), 1U);
  for (const XmlElement* head : page.All("th")) EXPECT_EQ(head->attributes.count("scope"), 1U);
}

INSTANTIATE_TEST_SUITE_P(
    All, PagesTest,
    ::testing::Values(PageCase{"Quantization", [] { return ToHtml(SomeQuantization()); }},
                      PageCase{"QuantizationOfNothing",
                               [] { return ToHtml(QuantizationReport()); }},
                      PageCase{"Evaluation", [] { return ToHtml(SomeEvaluation()); }},
                      PageCase{"Model", [] { return ToHtml(SomeModel()); }},
                      PageCase{"ModelOfNothing", [] { return ToHtml(ModelReport()); }}),
    [](const auto& page) { return page.param.name; });

std::vector<std::string> LastRow(const XmlElement& page, const char* section, size_t from_end) {
  for (const XmlElement* candidate : page.All("section")) {
    if (candidate->attributes.at("id") != section) continue;
    const auto rows = candidate->All("tr");
    std::vector<std::string> texts;
    for (const XmlElement& cell : rows.at(rows.size() - from_end)->children) {
      texts.push_back(cell.AllText());
    }
    return texts;
  }
  return {};
}

TEST(QuantizationPageTest, TheTableHasTheLayersNumbers) {
  const XmlElement page = ParseXml(ToHtml(SomeQuantization()));
  const std::string shown = "</style><script>alert('x')</script>&amp;\" \xEF\xBF\xBD \u00e4\u6f22";
  EXPECT_EQ(page.All("h1").front()->AllText(), shown);
  EXPECT_THAT(LastRow(page, "layers", 2),
              ElementsAre("model.layers.1.q_proj", "8 \u00d7 4", "4", "128", "2.46\u00a0%",
                          "5.00\u00a0%", "6.00", "5.00", "1.5 s", shown));
  const auto kept = LastRow(page, "layers", 1);
  EXPECT_EQ(kept.at(2), "16");
  EXPECT_EQ(kept.back(), "kept: " + shown);
  EXPECT_THAT(page.AllText(), HasSubstr("2 of 3 linear layers"));
  EXPECT_THAT(page.AllText(), HasSubstr("30\u00a0% of 1.00 kB"));
  EXPECT_THAT(page.AllText(), HasSubstr("63\u00a0% less than"));  // 1.845 % beside 5 %
}

TEST(EvaluationPageTest, TextAndPageHaveTheSameNumbers) {
  const EvaluationReport report = SomeEvaluation();
  const XmlElement page = ParseXml(ToHtml(report));
  const std::vector<std::string> row = {"b",
                                        "8.00 MB",
                                        "16.00",
                                        "12.5000 \u00b1 0.2500",
                                        "0.02000 \u00b1 0.00100",
                                        "90.00 %",
                                        "+0.01500 \u00b1 0.00200",
                                        "90"};
  EXPECT_EQ(LastRow(page, "results", 1), row);
  const std::string text = ToText(report);
  for (const std::string& cell : row) EXPECT_THAT(text, HasSubstr("  " + cell));
}

TEST(EvaluationPageTest, TheBaselineHasARowOfItsOwn) {
  EvaluationReport report = SomeEvaluation();
  report.baseline_model->name = "base";
  const std::vector<std::string> row = {
      "base (baseline)", "9.00 MB", "16.00",  "12.2500 \u00b1 0.2500",
      "\u2013",          "\u2013",  "\u2013", "\u2013"};
  EXPECT_EQ(LastRow(ParseXml(ToHtml(report)), "results", 3), row);
  EXPECT_THAT(ToText(report), HasSubstr("\n  base (baseline)  "));
}

}  // namespace
}  // namespace paroquant::report
