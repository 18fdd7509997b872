#include "pipeline/report_json.h"

#include <fmt/format.h>

#include <limits>
#include <vector>

namespace paroquant::pipeline {
namespace {

// JSON has no other way to hold a number that is none.
double NumberOrNan(const io::JsonObject& json, const char* key) {
  return json.GetOr<double>(key, std::numeric_limits<double>::quiet_NaN());
}

method::EpochReport ParseEpoch(const io::JsonObject& json) {
  return {.stage = json.Get<int>("stage") - 1,
          .epoch = json.Get<int>("epoch") - 1,
          .training_loss = NumberOrNan(json, "training_loss"),
          .held_out_loss = NumberOrNan(json, "held_out_loss")};
}

// Empty if the key is.
std::vector<int64_t> ParseCounts(const io::JsonObject& json, const char* key) {
  const io::Json& list = ListUnder(json, key);
  std::vector<int64_t> counts;
  for (const io::Json& count : list) {
    if (!count.is_number_integer()) json.Fail(key, "whole numbers", count.dump());
    counts.push_back(count.get<int64_t>());
  }
  const size_t bins = method::WeightBinEdges().size() - 1;
  if (!counts.empty() && counts.size() != bins) {
    json.Fail(key, fmt::format("{} numbers", bins), fmt::format("{}", counts.size()));
  }
  return counts;
}

method::OutlierCounts ParseOutliers(const io::JsonObject& json) {
  return {.weights_before = ParseCounts(json, "weights_before"),
          .weights_after = ParseCounts(json, "weights_after"),
          .inputs_before = ParseCounts(json, "inputs_before"),
          .inputs_after = ParseCounts(json, "inputs_after")};
}

}  // namespace

const io::Json& ListUnder(const io::JsonObject& json, const char* key) {
  if (!json.Has(key) || !json.json().at(key).is_array()) json.Fail(key, "a list", "something else");
  return json.json().at(key);
}

LayerReport ParseLayerReport(const io::JsonObject& json, const LayerPlan& plan) {
  if (json.Get<std::string>("name") != plan.info.name) {
    json.Fail("name", plan.info.name, json.Get<std::string>("name"));
  }
  LayerReport report{.plan = plan};
  report.seconds = json.GetOr<double>("seconds", 0.0);
  report.relative_output_error = OptionalNumber<double>(json, "relative_output_error");
  report.relative_output_error_rtn = OptionalNumber<double>(json, "relative_output_error_rtn");
  if (!plan.quantized) return report;
  report.accepted = json.Get<bool>("accepted");
  report.ranges = {.before = NumberOrNan(json, "range_before"),
                   .after = NumberOrNan(json, "range_after")};
  for (const io::Json& note : ListUnder(json, "notes")) {
    report.notes.push_back(note.is_string() ? note.get<std::string>() : note.dump());
  }
  report.repair = OptionalNumber<double>(json, "repair");
  report.routed_tokens = OptionalNumber<int64_t>(json, "routed_tokens");
  report.relative_weight_error = NumberOrNan(json, "relative_weight_error");
  if (json.Has("outliers")) report.outliers = ParseOutliers(json.Object("outliers"));
  report.checksum = json.Get<uint32_t>("crc32");
  return report;
}

TuningReport ParseTuningReport(const io::JsonObject& json) {
  TuningReport report{.layer = json.Get<int64_t>("block"), .summary = {}};
  report.seconds = json.GetOr<double>("seconds", 0.0);
  report.summary.start_loss = NumberOrNan(json, "start_loss");
  report.summary.loss = NumberOrNan(json, "loss");
  report.summary.accepted = json.Get<bool>("accepted");
  for (const io::Json& epoch : ListUnder(json, "epochs")) {
    report.summary.epochs.push_back(ParseEpoch(io::JsonObject(epoch, json.where() + ": epochs")));
  }
  return report;
}

}  // namespace paroquant::pipeline
