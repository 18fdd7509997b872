#include <cmath>
#include <utility>

#include "paroquant/base/version.h"
#include "paroquant/pipeline/quantize.h"
#include "pipeline/report_json.h"
#include "pipeline/scale_folding.h"

namespace paroquant::pipeline {
namespace {

template <typename T>
io::Json OrNull(const std::optional<T>& value) {
  return value ? io::Json(*value) : io::Json(nullptr);
}

// Of a layer's outputs, in decibels.
std::optional<double> SignalToNoise(const std::optional<double>& relative_error) {
  if (!relative_error || *relative_error <= 0) return std::nullopt;
  return -10 * std::log10(*relative_error);
}

io::Json CalibrationJson(const QuantizeSummary& summary) {
  return {{"source", summary.calibration_source},
          {"sequences", summary.calibration_sequences},
          {"tokens", summary.calibration_tokens},
          {"held_out_sequences", summary.held_out_sequences}};
}

}  // namespace

io::Json LayerJson(const LayerReport& report) {
  const LayerPlan& plan = report.plan;
  io::Json json = ToJson(plan);
  json["relative_output_error"] = OrNull(report.relative_output_error);
  json["relative_output_error_rtn"] = OrNull(report.relative_output_error_rtn);
  if (plan.quantized) {
    json["snr_db"] = OrNull(SignalToNoise(report.relative_output_error));
    json["accepted"] = report.accepted;
    json["range_before"] = report.ranges.before;
    json["range_after"] = report.ranges.after;
    json["notes"] = report.notes;
    json["repair"] = OrNull(report.repair);
    if (report.routed_tokens) json["routed_tokens"] = *report.routed_tokens;
    json["relative_weight_error"] = report.relative_weight_error;
    json["crc32"] = report.checksum;
  }
  return json;
}

io::Json OutliersJson(const method::OutlierCounts& outliers) {
  return {{"weights_before", outliers.weights_before},
          {"weights_after", outliers.weights_after},
          {"inputs_before", outliers.inputs_before},
          {"inputs_after", outliers.inputs_after}};
}

io::Json TuningJson(const TuningReport& report) {
  io::Json epochs = io::Json::array();
  for (const method::EpochReport& epoch : report.summary.epochs) {
    epochs.push_back({{"stage", epoch.stage + 1},
                      {"epoch", epoch.epoch + 1},
                      {"training_loss", epoch.training_loss},
                      {"held_out_loss", epoch.held_out_loss}});
  }
  return {{"block", report.layer},
          {"start_loss", report.summary.start_loss},
          {"loss", report.summary.loss},
          {"accepted", report.summary.accepted},
          {"epochs", std::move(epochs)}};
}

io::Json RecipeJson(const QuantizeOptions& options) {
  return {{"version", kVersion},
          {"recipe", options.recipe.name},
          {"settings", method::RecipeJson(options.recipe)},
          {"seed", options.seed}};
}

io::Json Provenance(const QuantizeSummary& summary) {
  io::Json json = RecipeJson(summary.options);
  json["fingerprint"] = summary.fingerprint;
  json["bits_per_weight"] = summary.bits_per_weight;
  json["expected_kl"] = OrNull(summary.expected_kl);
  json["expected_kl_stderr"] = OrNull(summary.expected_kl_stderr);
  json["held_out_losses"] = summary.held_out_losses;
  json["tuning"] = io::Json::array();
  for (const TuningReport& report : summary.tuning) json["tuning"].push_back(TuningJson(report));
  json["calibration"] = CalibrationJson(summary);
  json["layers"] = io::Json::array();
  for (const LayerReport& report : summary.layers) {
    io::Json& layer = json["layers"].emplace_back(LayerJson(report));
    if (!report.folded_scales.empty()) layer["channel_scales"] = ToHex(report.folded_scales);
  }
  return json;
}

io::Json ToJson(const QuantizeSummary& summary) {
  int64_t quantized = 0;
  io::Json layers = io::Json::array();
  for (const LayerReport& report : summary.layers) {
    quantized += report.plan.quantized ? 1 : 0;
    layers.push_back(LayerJson(report));
    layers.back()["seconds"] = report.seconds;
    if (report.outliers) layers.back()["outliers"] = OutliersJson(*report.outliers);
  }
  io::Json tuning = io::Json::array();
  for (const TuningReport& report : summary.tuning) {
    tuning.push_back(TuningJson(report));
    tuning.back()["seconds"] = report.seconds;
  }
  const QuantizeOptions& options = summary.options;
  return {{"model", options.model.string()},
          {"out", options.out.string()},
          {"recipe", options.recipe.name},
          {"bits", options.recipe.bits},
          {"group_size", options.recipe.group_size},
          {"rotations", StoredRotations(options)},
          {"settings", method::RecipeJson(options.recipe)},
          {"seed", options.seed},
          {"layers_quantized", quantized},
          {"layers_kept", static_cast<int64_t>(summary.layers.size()) - quantized},
          {"bits_per_weight", summary.bits_per_weight},
          {"seconds", summary.seconds},
          {"peak_rss_bytes", summary.peak_rss_bytes},
          {"peak_spilled_bytes", summary.peak_spilled_bytes},
          {"expected_kl", OrNull(summary.expected_kl)},
          {"expected_kl_stderr", OrNull(summary.expected_kl_stderr)},
          {"held_out_losses", summary.held_out_losses},
          {"tuning", std::move(tuning)},
          {"calibration", CalibrationJson(summary)},
          {"resumed_blocks", summary.resumed_blocks},
          {"was_complete", summary.was_complete},
          {"notes", summary.notes},
          {"layers", layers}};
}

}  // namespace paroquant::pipeline
