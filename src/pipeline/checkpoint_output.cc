#include "pipeline/checkpoint_output.h"

#include <unordered_map>
#include <utility>

#include "paroquant/base/file.h"
#include "paroquant/pipeline/quantize.h"
#include "pipeline/carried_files.h"
#include "pipeline/run_state.h"

namespace paroquant::pipeline {

std::vector<io::TensorSpec> OutputSpecs(const model::Checkpoint& source,
                                        const std::vector<OutputLayer>& layers) {
  std::unordered_map<std::string, std::vector<const OutputLayer*>> replaced;
  for (const OutputLayer& layer : layers) {
    for (const std::string& name : layer.replaced) replaced[name].push_back(&layer);
  }
  std::unordered_set<std::string> declared;
  std::vector<io::TensorSpec> specs;
  for (const io::TensorView& tensor : source.tensors().tensors()) {
    const auto found = replaced.find(tensor.name);
    if (found == replaced.end()) {
      specs.push_back({tensor.name, tensor.dtype, tensor.shape});
      continue;
    }
    for (const OutputLayer* layer : found->second) {
      for (const io::TensorSpec& spec : layer->specs) {
        if (declared.insert(spec.name).second) specs.push_back(spec);
      }
    }
  }
  return specs;
}

CheckpointOutput::CheckpointOutput(const model::Checkpoint& source, const OutputPlace& place,
                                   const std::vector<OutputLayer>& layers,
                                   const std::map<std::string, std::string>& metadata)
    : source_(source),
      folder_(place.resumes && !place.overwrite
                  ? io::OutputFolder::Resume(place.folder)
                  : io::OutputFolder::Create(place.folder, place.overwrite)),
      writer_(folder_, OutputSpecs(source, layers), place.shard_size, metadata) {
  for (const OutputLayer& layer : layers) {
    replaced_.insert(layer.replaced.begin(), layer.replaced.end());
  }
}

void CheckpointOutput::CopyUntouchedTensors() {
  AwaitWrite();
  for (const io::TensorView& tensor : source_.tensors().tensors()) {
    if (!replaced_.contains(tensor.name)) writer_.Write(tensor.name, tensor.bytes);
  }
}

void CheckpointOutput::WriteLayer(std::vector<format::PackedTensor> tensors) {
  AwaitWrite();
  std::erase_if(tensors, [&](const format::PackedTensor& tensor) {
    return !written_.insert(tensor.spec.name).second;
  });
  // No part of the function: where no thread can be started, the standard library of GCC 12 has
  // moved the function away before it defers it.
  writing_ = std::move(tensors);
  write_ = std::async([this] {
    for (const format::PackedTensor& tensor : writing_) {
      writer_.Write(tensor.spec.name, tensor.bytes);
    }
  });
}

void CheckpointOutput::AwaitWrite() {
  if (write_.valid()) write_.get();
}

void CheckpointOutput::CopyOtherFiles() {
  CarriedFiles files = FindCarriedFiles(source_);
  for (const std::filesystem::path& name : files.names) {
    CopyFile(source_.folder() / name, folder_.Stage(name.string()));
  }
  notes_ = std::move(files.notes);
}

void CheckpointOutput::Commit(const io::Json& config, const io::Json& provenance) {
  AwaitWrite();
  writer_.Finish();
  CopyOtherFiles();
  WriteFile(folder_.Stage(model::kConfigFile), config.dump(2) + "\n");
  if (!provenance.is_null()) {
    WriteFile(folder_.Stage(kProvenanceFile), provenance.dump(2) + "\n");
  }
  folder_.Commit();
  RemoveRunState(folder_.path());
}

}  // namespace paroquant::pipeline
