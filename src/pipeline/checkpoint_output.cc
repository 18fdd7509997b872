#include "pipeline/checkpoint_output.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

#include "paroquant/base/file.h"
#include "paroquant/pipeline/quantize.h"
#include "pipeline/carried_files.h"

namespace paroquant::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr char kConfigFile[] = "config.json";

// The quantized layers by the name of the tensor that they replace.
std::unordered_map<std::string, const LayerPlan*> ReplacedTensors(
    const std::vector<LayerPlan>& plans) {
  std::unordered_map<std::string, const LayerPlan*> replaced;
  for (const LayerPlan& plan : plans) {
    if (plan.quantized) replaced.emplace(plan.info.name + ".weight", &plan);
  }
  return replaced;
}

// What engines look for, the source's own notes, and how the weights were made.
std::map<std::string, std::string> Metadata(const model::Checkpoint& source,
                                            const QuantizeOptions& options) {
  std::map<std::string, std::string> metadata = source.tensors().metadata();
  metadata["format"] = "pt";
  metadata["paroquant"] = RecipeJson(options).dump();
  return metadata;
}

// What quantization_config says of all layers: the settings that were asked for where any layer has
// them, else those of most, since engines and verify look for a layer that has them.
format::QuantizationConfig CommonSettings(const QuantizeOptions& options, int rotations,
                                          const std::vector<LayerPlan>& plans) {
  std::map<std::pair<int, int>, int64_t> counts;  // by bits and group size
  for (const LayerPlan& plan : plans) {
    if (plan.quantized) ++counts[{plan.bits, plan.group_size}];
  }
  std::pair settings(options.recipe.bits, options.recipe.group_size);
  if (!counts.empty() && !counts.contains(settings)) {
    const auto fewer = [](const auto& a, const auto& b) { return a.second < b.second; };
    settings = std::max_element(counts.begin(), counts.end(), fewer)->first;
  }
  return {settings.first, settings.second, rotations};
}

}  // namespace

std::vector<io::TensorSpec> OutputSpecs(const model::Checkpoint& source, int rotations,
                                        const std::vector<LayerPlan>& plans) {
  const auto replaced = ReplacedTensors(plans);
  std::vector<io::TensorSpec> specs;
  for (const io::TensorView& tensor : source.tensors().tensors()) {
    const auto found = replaced.find(tensor.name);
    if (found == replaced.end()) {
      specs.push_back({tensor.name, tensor.dtype, tensor.shape});
      continue;
    }
    const LayerPlan& plan = *found->second;
    for (io::TensorSpec& spec :
         format::PackedSpecs(plan.info.name, {plan.info.out_features, plan.info.in_features,
                                              plan.bits, plan.group_size, rotations})) {
      specs.push_back(std::move(spec));
    }
  }
  return specs;
}

CheckpointOutput::CheckpointOutput(const model::Checkpoint& source, const QuantizeOptions& options,
                                   int rotations, const std::vector<LayerPlan>& plans)
    : source_(source),
      config_(CommonSettings(options, rotations, plans)),
      folder_(io::OutputFolder::Create(options.out, options.overwrite)),
      writer_(folder_, OutputSpecs(source, rotations, plans), options.shard_size,
              Metadata(source, options)) {}

void CheckpointOutput::CopyUntouchedTensors(const std::vector<LayerPlan>& plans) {
  AwaitWrite();
  const auto replaced = ReplacedTensors(plans);
  for (const io::TensorView& tensor : source_.tensors().tensors()) {
    if (!replaced.contains(tensor.name)) writer_.Write(tensor.name, tensor.bytes);
  }
}

void CheckpointOutput::WriteLayer(const std::string& module, quant::PackedLinear packed) {
  AwaitWrite();
  write_ = std::async(
      [this, module, packed = std::move(packed)] { format::WritePacked(writer_, module, packed); });
}

void CheckpointOutput::AwaitWrite() {
  if (write_.valid()) write_.get();
}

void CheckpointOutput::CopyOtherFiles() {
  CarriedFiles files = FindCarriedFiles(source_);
  for (const fs::path& path : files.paths) CopyFile(path, folder_.Stage(path.filename().string()));
  notes_ = std::move(files.notes);
}

void CheckpointOutput::Commit(const io::Json& provenance) {
  AwaitWrite();
  writer_.Finish();
  CopyOtherFiles();
  const io::Json config = format::WithQuantizationConfig(source_.config(), config_);
  WriteFile(folder_.Stage(kConfigFile), config.dump(2) + "\n");
  WriteFile(folder_.Stage(kProvenanceFile), provenance.dump(2) + "\n");
  folder_.Commit();
}

}  // namespace paroquant::pipeline
