#include "pipeline/quantized_output.h"

#include <algorithm>
#include <utility>

#include "paroquant/pipeline/quantize.h"
#include "pipeline/scale_folding.h"

namespace paroquant::pipeline {
namespace {

// What quantization_config says of all layers: the settings that were asked for where any layer has
// them, else those of most, since engines and verify look for a layer that has them.
std::pair<int, int> CommonSettings(const std::vector<LayerPlan>& plans,
                                   const QuantizeOptions& options) {
  std::map<std::pair<int, int>, int64_t> counts;  // by bits and group size
  for (const LayerPlan& plan : plans) {
    if (plan.quantized) ++counts[{plan.bits, plan.group_size}];
  }
  const std::pair settings(options.recipe.bits, options.recipe.group_size);
  if (counts.empty() || counts.contains(settings)) return settings;
  const auto fewer = [](const auto& a, const auto& b) { return a.second < b.second; };
  return std::max_element(counts.begin(), counts.end(), fewer)->first;
}

}  // namespace

format::PackedStyle StyleOf(const model::Checkpoint& source, const LayerPlan& plan,
                            const QuantizeOptions& options) {
  return {.shares_rotation = plan.basis_group >= 0,
          .symmetric = options.recipe.layer.symmetric,
          .dtype = source.tensors().Get(plan.info.WeightName()).dtype};
}

std::vector<OutputLayer> OutputLayers(const model::Checkpoint& source,
                                      const std::vector<LayerPlan>& plans,
                                      const QuantizeOptions& options) {
  std::vector<OutputLayer> layers;
  for (const LayerPlan& plan : plans) {
    if (!plan.quantized) continue;
    layers.push_back({{plan.info.WeightName()},
                      format::PackedSpecs(options.format, plan.info,
                                          {.bits = plan.bits,
                                           .group_size = plan.group_size,
                                           .rotations = StoredRotations(options),
                                           .style = StyleOf(source, plan, options)})});
  }
  for (io::TensorSpec& spec : FoldedSpecs(source, plans)) layers.push_back({{spec.name}, {spec}});
  return layers;
}

std::map<std::string, std::string> OutputMetadata(const model::Checkpoint& source,
                                                  const QuantizeOptions& options) {
  std::map<std::string, std::string> metadata = source.tensors().metadata();
  metadata["format"] = "pt";
  metadata["paroquant"] = RecipeJson(options).dump();
  return metadata;
}

io::Json OutputConfig(const model::Checkpoint& source, const std::vector<LayerPlan>& plans,
                      const QuantizeOptions& options) {
  const auto [bits, group_size] = CommonSettings(plans, options);
  format::ModuleNames modules;
  for (const LayerPlan& plan : plans) {
    (plan.quantized ? modules.quantized : modules.kept).push_back(plan.info.name);
  }
  return format::WithQuantizationConfig(source.config(),
                                        {.format = options.format,
                                         .bits = bits,
                                         .group_size = group_size,
                                         .rotations = StoredRotations(options),
                                         .symmetric = options.recipe.layer.symmetric},
                                        modules);
}

}  // namespace paroquant::pipeline
