#include "inspect_page.h"

#include <fmt/format.h>

#include <vector>

#include "paroquant/base/quantity_text.h"
#include "paroquant/method/outlier_counts.h"
#include "paroquant/model/model_name.h"
#include "paroquant/report/model_report.h"

namespace paroquant::cli {
namespace {

using pipeline::Inspection;
using pipeline::LayerInspection;

std::vector<report::Fact> ModelFacts(const Inspection& inspection) {
  const model::Architecture& a = inspection.architecture;
  std::vector<report::Fact> facts = {
      {"Architecture", a.model_type},
      {"Blocks", fmt::format("{}", a.layers)},
      {"Hidden size", fmt::format("{}", a.hidden_size)},
      {"MLP", fmt::format("{}", a.intermediate_size)},
      {"Heads", fmt::format("{} of {}", a.heads, a.head_dim),
       fmt::format("{} key/value heads", a.kv_heads)},
      {"Vocabulary", fmt::format("{}", a.vocab_size), a.tied_embeddings ? "tied head" : ""},
      {"Parameters", fmt::format("{:.1f} M", static_cast<double>(inspection.parameters) / 1e6)},
      {"Size", ByteCount(inspection.stored_bytes),
       fmt::format("{} tensors in {}", inspection.tensors, Counted(inspection.files, "file"))}};
  if (a.experts.count > 0) {
    facts.push_back({"Experts", fmt::format("{}", a.experts.count),
                     fmt::format("{} for each token", a.experts.per_token)});
  }
  return facts;
}

report::WeightSummary PageWeights(const pipeline::WeightStatistics& statistics) {
  const auto& outliers = *statistics.outliers;
  return {.max_over_rms = statistics.max_over_rms,
          .kurtosis = statistics.kurtosis,
          .channel_spread = statistics.channel_spread,
          .group_range = outliers.group_range,
          .outliers = {.weights = {.edges = method::WeightBinEdges(),
                                   .series = {{"weights", outliers.weights}}},
                       .channels = {.edges = method::ChannelBinEdges(),
                                    .series = {{"columns", outliers.channels}}},
                       .channels_are = "columns"}};
}

}  // namespace

std::string Fate(const LayerInspection& layer) {
  const pipeline::LayerPlan& plan = layer.plan;
  if (layer.packed) return fmt::format("packed, {} bit, group {}", plan.bits, plan.group_size);
  if (!plan.quantized) return "would stay in 16 bit: " + plan.reason;
  return plan.reason.empty() ? "would be quantized" : "would be quantized: " + plan.reason;
}

std::string InspectPage(const std::string& folder, const Inspection& inspection,
                        const std::string& command) {
  report::ModelReport page{.model = model::ModelName(folder),
                           .facts = ModelFacts(inspection),
                           .layers = {},
                           .commands = {command}};
  for (const LayerInspection& layer : inspection.layers) {
    const model::LinearInfo& info = layer.plan.info;
    report::InspectedLayer& row = page.layers.emplace_back();
    row = {.name = info.name,
           .block = layer.plan.layer,
           .out_features = info.out_features,
           .in_features = info.in_features,
           .fate = Fate(layer),
           .weights = {}};
    if (layer.statistics && layer.statistics->outliers) {
      row.weights = PageWeights(*layer.statistics);
    }
  }
  return report::ToHtml(page);
}

}  // namespace paroquant::cli
