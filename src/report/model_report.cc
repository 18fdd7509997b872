#include "paroquant/report/model_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>

#include "report/layer_charts.h"
#include "report/number_text.h"
#include "report/page.h"
#include "report/table.h"

namespace paroquant::report {
namespace {

// Layers with 16-bit weights, those with the widest groups first.
std::vector<const InspectedLayer*> WidestFirst(const ModelReport& report) {
  std::vector<const InspectedLayer*> layers;
  for (const InspectedLayer& layer : report.layers) {
    if (layer.weights) layers.push_back(&layer);
  }
  std::ranges::stable_sort(layers, std::greater<>(),
                           [](const InspectedLayer* layer) { return layer->weights->group_range; });
  return layers;
}

Markup Lead(const ModelReport& report, const std::vector<const InspectedLayer*>& widest) {
  if (widest.empty()) return FactList(report.facts);
  const InspectedLayer& first = *widest.front();
  return Paragraph(fmt::format("The weights that stick out most are those of {}: their "
                               "groups span {} times their RMS on average.",
                               first.name, Significant(first.weights->group_range))) +
         FactList(report.facts);
}

Section ByLayer(const ModelReport& report) {
  LayerCharts charts{.title = "Range",
                     .y_label = "mean (max - min) / RMS of a group",
                     .names = {"range"},
                     .layers = {}};
  for (const InspectedLayer& layer : report.layers) {
    if (!layer.weights) continue;
    charts.layers.push_back({layer.name, layer.block, {layer.weights->group_range}});
  }
  return {
      "ranges", "Range by layer",
      Paragraph(
          "What a grid has to span for the weights of a group. Gaussian weights in "
          "groups of 128 span 5.2 times their RMS. The wider, the more rounding to nearest "
          "loses; rotations take most of the difference away. All charts have the same scale.") +
          Grid(Draw(charts))};
}

Section Outliers(const std::vector<const InspectedLayer*>& layers) {
  constexpr size_t kShown = 4;
  Markup figures;
  for (size_t i = 0; i < std::min(kShown, layers.size()); ++i) {
    figures += OutlierFigures(layers[i]->name, layers[i]->weights->outliers);
  }
  return {"outliers", "Outliers of the layers with the widest groups", PairGrid(figures)};
}

Section Layers(const ModelReport& report) {
  Table table{.caption =
                  "Largest weight over RMS; kurtosis (3 for Gaussian weights); largest over "
                  "median norm of an input channel; mean range of a group over its RMS.",
              .columns = {{"layer", ColumnKind::kText},
                          {"shape"},
                          {"max/RMS"},
                          {"kurtosis"},
                          {"channels"},
                          {"range"},
                          {"what would happen", ColumnKind::kText}},
              .rows = {}};
  for (const InspectedLayer& layer : report.layers) {
    std::vector<std::string>& row = table.rows.emplace_back();
    row = {layer.name, fmt::format("{} \u00d7 {}", layer.out_features, layer.in_features)};
    if (layer.weights) {
      row.push_back(Significant(layer.weights->max_over_rms));
      row.push_back(Significant(layer.weights->kurtosis));
      row.push_back(Significant(layer.weights->channel_spread));
      row.push_back(Significant(layer.weights->group_range));
    } else {
      row.insert(row.end(), 4, kNoNumber);
    }
    row.push_back(layer.fate);
  }
  return {"layers", "All layers", Draw(table)};
}

}  // namespace

std::string ToHtml(const ModelReport& report) {
  const auto widest = WidestFirst(report);
  Page page{.kind = "Model before quantization",
            .title = report.model,
            .lead = Lead(report, widest),
            .sections = {}};
  if (!widest.empty()) page.sections = {ByLayer(report), Outliers(widest)};
  page.sections.push_back(Layers(report));
  const std::string commands = fmt::format("{}", fmt::join(report.commands, "\n"));
  page.sections.push_back({"reproduce", "Command", Code(commands)});
  return Write(page);
}

}  // namespace paroquant::report
