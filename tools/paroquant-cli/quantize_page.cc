#include "quantize_page.h"

#include <fmt/format.h>

#include <cmath>
#include <numbers>
#include <optional>

#include "paroquant/base/half.h"
#include "paroquant/base/quantity_text.h"
#include "paroquant/format/packed_format.h"
#include "paroquant/method/outlier_counts.h"
#include "paroquant/model/checkpoint.h"
#include "paroquant/model/model_name.h"
#include "paroquant/pipeline/reproduction.h"
#include "paroquant/pipeline/stored_size.h"
#include "paroquant/report/quantization_report.h"

namespace paroquant::cli {
namespace {

using pipeline::LayerReport;
using pipeline::QuantizeSummary;

report::LayerOutliers PageOutliers(const method::OutlierCounts& counts) {
  report::LayerOutliers outliers{
      .weights = {.edges = method::WeightBinEdges(),
                  .series = {{"before", counts.weights_before}, {"after", counts.weights_after}}},
      .channels = {},
      .channels_are = "inputs"};
  if (!counts.inputs_before.empty()) {
    outliers.channels = {
        .edges = method::ChannelBinEdges(),
        .series = {{"before", counts.inputs_before}, {"after", counts.inputs_after}}};
  }
  return outliers;
}

report::QuantizedLayer PageLayer(const LayerReport& report) {
  const pipeline::LayerPlan& plan = report.plan;
  report::QuantizedLayer layer{.name = plan.info.name,
                               .block = plan.layer,
                               .out_features = plan.info.out_features,
                               .in_features = plan.info.in_features,
                               .quantized = plan.quantized,
                               .bits = plan.bits,
                               .group_size = plan.group_size,
                               .reason = plan.reason};
  if (!plan.quantized) return layer;
  layer.error = report.relative_output_error;
  layer.rtn_error = report.relative_output_error_rtn;
  layer.range_before = report.ranges.before;
  layer.range_after = report.ranges.after;
  layer.seconds = report.seconds;
  layer.notes = report.notes;
  if (!report.accepted) layer.notes.emplace_back("rounded to nearest, the recipe did no better");
  if (report.outliers) layer.outliers = PageOutliers(*report.outliers);
  return layer;
}

// By the output's error or, without calibration, by the weight's.
const LayerReport* WorstLayer(const QuantizeSummary& summary) {
  const auto error = [](const LayerReport& layer) {
    return layer.relative_output_error.value_or(layer.relative_weight_error);
  };
  const LayerReport* worst = nullptr;
  for (const LayerReport& layer : summary.layers) {
    if (!layer.plan.quantized) continue;
    if (worst == nullptr || error(layer) > error(*worst)) worst = &layer;
  }
  return worst;
}

report::ChannelPair PairAt(const quant::Rotation& rotation, int round, int64_t channel) {
  const auto at = static_cast<size_t>(round * rotation.channels + channel);
  return {.first = rotation.pairs[at],
          .second = rotation.pairs[at + 1],
          .angle = HalfToFloat(rotation.theta[at / 2]) * 180 / std::numbers::pi};
}

report::GroupRotations RotationsOf(const quant::Rotation& rotation, int64_t group) {
  report::GroupRotations result{
      .layer = {}, .group = group, .group_size = rotation.group_size, .rounds = {}};
  const int64_t first = group * rotation.group_size;
  for (int round = 0; round < rotation.rounds; ++round) {
    auto& pairs = result.rounds.emplace_back();
    for (int64_t i = first; i < first + rotation.group_size; i += 2) {
      pairs.push_back(PairAt(rotation, round, i));
    }
  }
  return result;
}

// Of all angles in degrees.
double SumOfAngles(const report::GroupRotations& rotations) {
  double sum = 0;
  for (const auto& round : rotations.rounds) {
    for (const report::ChannelPair& pair : round) sum += std::abs(pair.angle);
  }
  return sum;
}

// The group of the layer that is turned most; nothing if the layer has no rotation.
std::optional<report::GroupRotations> StrongestRotations(const model::Checkpoint& output,
                                                         const model::LinearInfo& info) {
  const format::PackedLayers packed(output);
  if (packed.format() != format::FormatKind::kParoquant || !packed.Has(info)) return std::nullopt;
  const quant::Rotation rotation = packed.Read(info).rotation;
  std::optional<report::GroupRotations> strongest;
  double greatest = 0;
  for (int64_t group = 0; group < rotation.channels / rotation.group_size; ++group) {
    report::GroupRotations rotations = RotationsOf(rotation, group);
    const double sum = SumOfAngles(rotations);
    if (sum <= greatest) continue;
    greatest = sum;
    strongest = std::move(rotations);
  }
  if (strongest) strongest->layer = info.name;
  return strongest;
}

std::vector<report::Fact> RunFacts(const QuantizeSummary& summary) {
  std::vector<report::Fact> facts = {{"Calibration", summary.calibration_source}};
  if (summary.calibration_sequences > 0) {
    facts.push_back(
        {"Calibration tokens", fmt::format("{}", summary.calibration_tokens),
         fmt::format("in {}; {} more held out", Counted(summary.calibration_sequences, "sequence"),
                     summary.held_out_sequences)});
  }
  facts.push_back({"Seed", fmt::format("{}", summary.options.seed)});
  facts.push_back({"Layout", format::FormatName(summary.options.format)});
  if (summary.was_complete) return facts;
  facts.push_back({"Time", Duration(summary.seconds)});
  facts.push_back({"Peak memory", ByteCount(summary.peak_rss_bytes)});
  if (summary.peak_spilled_bytes > 0) {
    facts.push_back({"Activations on disk", ByteCount(summary.peak_spilled_bytes), "at most"});
  }
  if (summary.resumed_blocks > 0) {
    facts.push_back({"Blocks of an earlier run", fmt::format("{}", summary.resumed_blocks)});
  }
  return facts;
}

}  // namespace

std::string QuantizePage(const QuantizeSummary& summary) {
  const pipeline::QuantizeOptions& options = summary.options;
  const model::Checkpoint source = model::Checkpoint::Open(options.model);
  const model::Checkpoint output = model::Checkpoint::Open(options.out);
  report::QuantizationReport page{.model = model::ModelName(options.model),
                                  .recipe = options.recipe.name,
                                  .bits = options.recipe.bits,
                                  .group_size = options.recipe.group_size,
                                  .source_bytes = pipeline::MeasureStoredSize(source).bytes,
                                  .output_bytes = pipeline::MeasureStoredSize(output).bytes,
                                  .bits_per_weight = summary.bits_per_weight,
                                  .kl_divergence = summary.expected_kl,
                                  .kl_divergence_stderr = summary.expected_kl_stderr,
                                  .held_out_losses = summary.held_out_losses,
                                  .layers = {},
                                  .rotations = {},
                                  .facts = RunFacts(summary),
                                  .settings = method::RecipeJson(options.recipe).dump(2),
                                  .commands = pipeline::CheckCommands(options),
                                  .notes = summary.notes};
  page.commands.insert(page.commands.begin(), pipeline::QuantizeCommand(options));
  for (const LayerReport& layer : summary.layers) page.layers.push_back(PageLayer(layer));
  if (const LayerReport* worst = WorstLayer(summary)) {
    page.rotations = StrongestRotations(output, worst->plan.info);
  }
  return report::ToHtml(page);
}

}  // namespace paroquant::cli
