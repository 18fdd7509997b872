#include "plan_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <vector>

#include "paroquant/base/parallel.h"
#include "paroquant/base/quantity_text.h"
#include "paroquant/base/text_table.h"
#include "paroquant/format/packed_format.h"
#include "standard_output.h"

namespace paroquant::cli {
namespace {

// What the recipe does to a layer, in turn.
std::string Steps(const method::Recipe& recipe) {
  const method::LayerRecipe& layer = recipe.layer;
  std::vector<std::string> steps;
  if (layer.channel_scales != method::ChannelScaleChoice::kNone) {
    steps.emplace_back("channel scales");
  }
  if (layer.rotation != method::RotationChoice::kNone) {
    steps.push_back(Counted(recipe.rotations, "round") + " of rotations");
  }
  steps.emplace_back(layer.rounding == method::RoundingChoice::kNearest
                         ? "rounding to nearest"
                         : "rounding with error feedback");
  if (recipe.tuning.Tunes()) steps.emplace_back("tuning of each block");
  return fmt::format("{}", fmt::join(steps, ", "));
}

TextTable LayerTable(const std::vector<pipeline::LayerPlan>& layers) {
  TextTable table;
  for (const pipeline::LayerPlan& layer : layers) {
    const model::LinearInfo& info = layer.info;
    const std::string fate =
        layer.quantized ? fmt::format("{} bit, group {}", layer.bits, layer.group_size) : "kept";
    table.Add({info.name, fmt::format("{} x {}", info.out_features, info.in_features)},
              layer.reason.empty() ? fate : fate + ": " + layer.reason);
  }
  return table;
}

void PrintCalibration(const pipeline::CalibrationSize& text,
                      const pipeline::QuantizeOptions& options) {
  if (text.sequences == 0) {
    PrintLine("no calibration text: nothing of the recipe looks at activations");
    return;
  }
  PrintLine("calibrates on {} of {} tokens, {} more held out, {}",
            Counted(text.sequences, "sequence"), text.length, text.held_out,
            options.SamplesText() ? "that the model writes itself"
                                  : fmt::format("from {}", fmt::join(options.calibration, ", ")));
}

}  // namespace

void PrintPlan(const pipeline::PricedPlan& plan, const pipeline::QuantizeOptions& options) {
  PrintTable(LayerTable(plan.layers));
  PrintLine("recipe {}: {}; layout {}", options.recipe.name, Steps(options.recipe),
            format::FormatName(options.format));
  PrintCalibration(plan.calibration, options);
  const pipeline::CostEstimate& cost = plan.cost;
  PrintLine(
      "about {} on {} if nothing else runs, {} of memory beside the mapped model{}; {} to write, "
      "and "
      "up to {} more until it is done",
      Duration(cost.seconds), Counted(ThreadCount(), "thread"), ByteCount(cost.memory_bytes),
      cost.spilled_bytes > 0 ? fmt::format(" and {} of disk", ByteCount(cost.spilled_bytes)) : "",
      ByteCount(cost.output_bytes), ByteCount(cost.record_bytes));
}

}  // namespace paroquant::cli
