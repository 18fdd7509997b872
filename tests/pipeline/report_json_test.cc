#include "pipeline/report_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testing/error_of.h"

namespace paroquant::pipeline {
namespace {

using ::testing::HasSubstr;

// What a run that is resumed finds of the blocks before.
TEST(ReportJsonTest, OutliersComeBackAsTheyWere) {
  const LayerPlan plan{.info = {.name = "layer"}, .quantized = true};
  const std::vector<int64_t> counts(method::WeightBinEdges().size() - 1, 7);
  LayerReport report{.plan = plan};
  report.outliers = {.weights_before = counts, .weights_after = counts};
  io::Json json = LayerJson(report);
  EXPECT_FALSE(ParseLayerReport(io::JsonObject(json, "record"), plan).outliers.has_value());

  json["outliers"] = OutliersJson(*report.outliers);
  const LayerReport parsed = ParseLayerReport(io::JsonObject(json, "record"), plan);
  ASSERT_TRUE(parsed.outliers.has_value());
  EXPECT_EQ(parsed.outliers->weights_before, counts);
  EXPECT_EQ(parsed.outliers->weights_after, counts);
  EXPECT_TRUE(parsed.outliers->inputs_before.empty());

  json["outliers"]["weights_after"].push_back(1);
  EXPECT_THAT(
      testing::ErrorOf([&] { ParseLayerReport(io::JsonObject(json, "record"), plan); }).what(),
      HasSubstr("weights_after"));
}

}  // namespace
}  // namespace paroquant::pipeline
