#include "paroquant/report/quantization_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "paroquant/base/quantity_text.h"
#include "report/heat_map.h"
#include "report/layer_charts.h"
#include "report/number_text.h"
#include "report/page.h"
#include "report/table.h"
#include "report/xy_chart.h"

namespace paroquant::report {
namespace {

constexpr double kNotKnown = std::numeric_limits<double>::quiet_NaN();

using LayerNumber = std::optional<double> QuantizedLayer::*;

std::optional<double> MeanOf(const QuantizationReport& report, LayerNumber number) {
  double sum = 0;
  int64_t count = 0;
  for (const QuantizedLayer& layer : report.layers) {
    if (!layer.quantized || !(layer.*number)) continue;
    sum += *(layer.*number);
    ++count;
  }
  if (count == 0) return std::nullopt;
  return sum / static_cast<double>(count);
}

int64_t CountQuantized(const QuantizationReport& report) {
  return std::ranges::count_if(report.layers, &QuantizedLayer::quantized);
}

// "21 % less than"; "1.3 times that of" where it is no less.
std::string Beside(double value, double reference) {
  if (value >= reference) return Significant(value / reference) + " times that of";
  return fmt::format("{:.0f}\u00a0% less than", 100 * (1 - value / reference));
}

std::string Summary(const QuantizationReport& report) {
  const int64_t quantized = CountQuantized(report);
  const int64_t kept = std::ssize(report.layers) - quantized;
  const bool alike = std::ranges::all_of(report.layers, [&](const QuantizedLayer& layer) {
    return !layer.quantized || layer.bits == report.bits;
  });
  return fmt::format(
      "{} of {} linear layers are quantized to {} bit{} with the recipe {}.{}", quantized,
      std::ssize(report.layers), report.bits,
      alike ? fmt::format(" in groups of {} channels", report.group_size) : ", some to others,",
      report.recipe, kept > 0 ? " The others stay in 16 bit." : "");
}

Markup Headline(const QuantizationReport& report) {
  std::vector<Fact> facts = {
      {"Size", ByteCount(report.output_bytes),
       fmt::format("{:.0f}\u00a0% of {}",
                   100 * static_cast<double>(report.output_bytes) /
                       static_cast<double>(std::max(report.source_bytes, int64_t{1})),
                   ByteCount(report.source_bytes))},
      {"Bits per quantized weight", fmt::format("{:.2f}", report.bits_per_weight),
       "scales, zero points and rotations included"}};
  const auto error = MeanOf(report, &QuantizedLayer::error);
  const auto rtn_error = MeanOf(report, &QuantizedLayer::rtn_error);
  if (error && rtn_error) {
    facts.push_back({"Relative output error", Percent(*error),
                     fmt::format("mean over layers; {} rounding to nearest ({})",
                                 Beside(*error, *rtn_error), Percent(*rtn_error))});
  }
  if (report.kl_divergence) {
    facts.push_back({"KL divergence", Significant(*report.kl_divergence),
                     fmt::format("\u00b1 {} nats a token, from the 16-bit model on held-out text",
                                 Significant(report.kl_divergence_stderr.value_or(0), 2))});
  }
  return Paragraph(Summary(report)) + Tiles(facts);
}

Markup HeldOutLoss(const std::vector<double>& losses) {
  XyChart chart{.caption = {.title = "Deviation of the residual stream",
                            .description = "The share of its energy by which the residual stream "
                                           "is off after each block, on held-out tokens."},
                .x_label = "block",
                .y_label = "relative deviation, %",
                .x_scale = ScaleKind::kWhole,
                .series = {{"after the block", {}}}};
  for (size_t i = 0; i < losses.size(); ++i) {
    chart.series.front().points.push_back({static_cast<double>(i), 100 * losses[i]});
  }
  return Draw(chart);
}

Section Errors(const QuantizationReport& report) {
  LayerCharts charts{.title = "Output error",
                     .y_label = "relative output error, %",
                     .y_scale = ScaleKind::kLogarithmic,
                     .names = {report.recipe, "rounding to nearest"},
                     .layers = {}};
  for (const QuantizedLayer& layer : report.layers) {
    charts.layers.push_back(
        {layer.name,
         layer.block,
         {100 * layer.error.value_or(kNotKnown), 100 * layer.rtn_error.value_or(kNotKnown)}});
  }
  if (!MeanOf(report, &QuantizedLayer::error)) {
    return {"errors", "Error by layer",
            Paragraph("This recipe reads no calibration text, so errors of outputs are not known; "
                      "eval-ppl measures the whole model.")};
  }
  Markup figures = Draw(charts);
  if (report.held_out_losses.size() > 1) figures += HeldOutLoss(report.held_out_losses);
  return {"errors", "Error by layer",
          Paragraph("How much of each layer's output is lost on tokens that nothing was fitted to, "
                    "beside rounding the same layer to nearest. All charts have the same scale.") +
              Grid(figures)};
}

// The layers of the greatest error, or of the widest groups where that is not known.
std::vector<const QuantizedLayer*> WorstWithOutliers(const QuantizationReport& report) {
  constexpr size_t kShown = 4;
  std::vector<const QuantizedLayer*> layers;
  for (const QuantizedLayer& layer : report.layers) {
    if (layer.outliers) layers.push_back(&layer);
  }
  const auto rank = [](const QuantizedLayer* layer) {
    return layer->error ? *layer->error : layer->range_before.value_or(0);
  };
  std::ranges::stable_sort(layers, std::greater<>(), rank);
  layers.resize(std::min(layers.size(), kShown));
  return layers;
}

Section Outliers(const QuantizationReport& report) {
  const auto layers = WorstWithOutliers(report);
  Section section{"outliers", "Outliers before and after rotation", {}};
  if (layers.empty()) {
    section.content =
        Paragraph("Not measured: an earlier run has made these layers and kept no histograms.");
    return section;
  }
  section.content = Paragraph(
      "A grid of few bits has to span the largest weight of its group, so what sticks out costs "
      "all others precision. Shown are the layers with the greatest error, as they were and in "
      "the basis they are rounded in.");
  if (std::ranges::any_of(report.layers, [](const QuantizedLayer& layer) {
        return layer.quantized && !layer.outliers;
      })) {
    section.content += Paragraph("Layers of blocks that an earlier run has made are left out.");
  }
  Markup figures;
  for (const QuantizedLayer* layer : layers) {
    figures += OutlierFigures(layer->name, *layer->outliers);
  }
  section.content += PairGrid(figures);
  return section;
}

Table PairTable(const GroupRotations& rotations, const std::string& caption) {
  Table table{.caption = caption,
              .columns = {{"round"}, {"channel"}, {"with channel"}, {"angle, degrees"}},
              .rows = {}};
  for (size_t round = 0; round < rotations.rounds.size(); ++round) {
    for (const ChannelPair& pair : rotations.rounds[round]) {
      table.rows.push_back({fmt::to_string(round + 1), fmt::to_string(pair.first),
                            fmt::to_string(pair.second), fmt::format("{:.2f}", pair.angle)});
    }
  }
  return table;
}

Markup RotationMaps(const GroupRotations& rotations) {
  HeatMap by_round{.caption = {.title = "Turns of each channel, round by round",
                               .description = "Each round turns every channel together with one "
                                              "other; deeper colours are greater angles."},
                   .x_label = "channel of the group",
                   .y_label = "round",
                   .value_label = "angle, degrees:",
                   .columns = rotations.group_size,
                   .rows = static_cast<int>(rotations.rounds.size()),
                   .first_row = 1,
                   .cells = {},
                   .numbers = {}};
  HeatMap by_pair{.caption = {.title = "Which channels are turned into each other",
                              .description = "A cell for each pair of channels that some round "
                                             "joins; deeper colours are greater angles."},
                  .x_label = "channel of the group",
                  .y_label = "channel of the group",
                  .value_label = by_round.value_label,
                  .columns = rotations.group_size,
                  .rows = rotations.group_size,
                  .cells = {},
                  .numbers = {}};
  for (int round = 0; round < by_round.rows; ++round) {
    for (const ChannelPair& pair : rotations.rounds[static_cast<size_t>(round)]) {
      const double angle = std::abs(pair.angle);
      by_round.cells.push_back({pair.first, round, angle});
      by_round.cells.push_back({pair.second, round, angle});
      by_pair.cells.push_back({pair.first, pair.second, angle});
      by_pair.cells.push_back({pair.second, pair.first, angle});
    }
  }
  by_round.numbers = PairTable(rotations, by_round.caption.title);
  by_pair.numbers = PairTable(rotations, by_pair.caption.title);
  return PairGrid(Draw(by_round) + Draw(by_pair));
}

Section Rotations(const GroupRotations& rotations) {
  return {
      "rotations", "Channel pairs of one group",
      Paragraph(fmt::format("Group {} of {}: {} of independent rotations of pairs among "
                            "its {} channels.",
                            rotations.group, rotations.layer,
                            Counted(std::ssize(rotations.rounds), "round"), rotations.group_size)) +
          RotationMaps(rotations)};
}

std::string Remarks(const QuantizedLayer& layer) {
  std::vector<std::string> remarks = layer.notes;
  if (!layer.reason.empty()) remarks.insert(remarks.begin(), layer.reason);
  return fmt::format("{}", fmt::join(remarks, "; "));
}

Section Layers(const QuantizationReport& report) {
  Table table{.caption =
                  "Range is the mean over groups of (max - min) / RMS, before and after the "
                  "rotation: what a grid has to span.",
              .columns = {{"layer", ColumnKind::kText},
                          {"shape", ColumnKind::kNumber},
                          {"bits"},
                          {"group"},
                          {"error"},
                          {"RTN's"},
                          {"range"},
                          {"rotated"},
                          {"time"},
                          {"remarks", ColumnKind::kText}},
              .rows = {}};
  for (const QuantizedLayer& layer : report.layers) {
    const bool quantized = layer.quantized;
    const auto number = [&](const std::optional<double>& value) {
      return Significant(value.value_or(kNotKnown));
    };
    table.rows.push_back(
        {layer.name, fmt::format("{} \u00d7 {}", layer.out_features, layer.in_features),
         quantized ? fmt::to_string(layer.bits) : "16",
         quantized ? fmt::to_string(layer.group_size) : kNoNumber,
         Percent(layer.error.value_or(kNotKnown)), Percent(layer.rtn_error.value_or(kNotKnown)),
         number(layer.range_before), number(layer.range_after),
         quantized ? Duration(layer.seconds) : kNoNumber,
         (quantized ? "" : "kept: ") + Remarks(layer)});
  }
  return {"layers", "All layers", Draw(table)};
}

Section Reproduction(const QuantizationReport& report) {
  return {"reproduce", "Recipe and commands",
          Paragraph("The same command on the same files gives the same bytes, whatever the number "
                    "of threads.") +
              Code(fmt::format("{}", fmt::join(report.commands, "\n\n"))) +
              Paragraph("Settings of the recipe " + report.recipe + ":") + Code(report.settings)};
}

}  // namespace

std::string ToHtml(const QuantizationReport& report) {
  Page page{.kind = "Quantization report",
            .title = report.model,
            .lead = Headline(report),
            .sections = {Errors(report), Outliers(report)}};
  if (report.rotations) page.sections.push_back(Rotations(*report.rotations));
  page.sections.push_back(Reproduction(report));
  page.sections.push_back({"run", "Calibration, time and memory", FactList(report.facts)});
  if (!report.notes.empty()) page.sections.push_back({"notes", "Notes", List(report.notes)});
  page.sections.push_back(Layers(report));
  return Write(page);
}

}  // namespace paroquant::report
