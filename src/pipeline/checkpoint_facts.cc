#include <algorithm>

#include "paroquant/base/folder.h"
#include "paroquant/pipeline/engine_rules.h"
#include "paroquant/quant/packing.h"

namespace paroquant::pipeline {
namespace {

// Weights in files that the model does not name.
std::vector<std::string> StrayFiles(const model::Checkpoint& checkpoint) {
  const auto& own = checkpoint.tensors().files();
  std::vector<std::string> stray;
  for (const std::filesystem::path& path : FolderEntries(checkpoint.folder())) {
    if (path.extension() != ".safetensors") continue;
    if (std::ranges::find(own, path) == own.end()) stray.push_back(path.string());
  }
  return stray;
}

}  // namespace

CheckpointFacts FactsOf(const std::vector<LayerPlan>& plans, const QuantizeOptions& options) {
  CheckpointFacts facts{.format = options.format, .symmetric = options.recipe.layer.symmetric};
  for (const LayerPlan& plan : plans) {
    facts.layers.push_back({.info = plan.info,
                            .layer = plan.layer,
                            .quantized = plan.quantized,
                            .bits = plan.bits,
                            .group_size = plan.group_size,
                            .rotations = StoredRotations(options),
                            .shares_rotation = plan.basis_group >= 0});
  }
  return facts;
}

CheckpointFacts FactsOf(const model::Checkpoint& checkpoint) {
  const format::PackedLayers packed(checkpoint);
  CheckpointFacts facts{.format = packed.config() ? packed.format() : format::FormatKind::kDense,
                        .symmetric = true,
                        .stray_files = StrayFiles(checkpoint)};
  for (int64_t layer = 0; layer < checkpoint.architecture().layers; ++layer) {
    for (const model::LinearInfo& info : DescribeLinears(checkpoint.architecture(), layer)) {
      LayerFacts& layer_facts = facts.layers.emplace_back();
      layer_facts = {.info = info, .layer = layer, .quantized = packed.Has(info)};
      if (!layer_facts.quantized) continue;
      const auto linear = quant::Unpack(quant::Copy(packed.Read(info)), info.name);
      layer_facts.bits = linear.bits;
      layer_facts.group_size = linear.group_size;
      layer_facts.rotations = linear.rotation.rounds;
      layer_facts.shares_rotation = packed.SharesRotation(info);
      facts.symmetric = facts.symmetric && quant::IsSymmetric(linear);
    }
  }
  return facts;
}

}  // namespace paroquant::pipeline
