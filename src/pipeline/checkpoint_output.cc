#include "pipeline/checkpoint_output.h"

#include <fmt/format.h>

#include <filesystem>
#include <unordered_map>
#include <utility>

#include "paroquant/base/checksum.h"
#include "paroquant/base/file.h"
#include "paroquant/base/folder.h"
#include "paroquant/pipeline/card_figures.h"
#include "paroquant/pipeline/quantize.h"
#include "pipeline/carried_files.h"
#include "pipeline/model_card.h"
#include "pipeline/run_state.h"

namespace paroquant::pipeline {

namespace fs = std::filesystem;

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

int64_t OutputBytes(const model::Checkpoint& source, const std::vector<OutputLayer>& layers) {
  uint64_t bytes = 0;
  for (const io::TensorSpec& spec : OutputSpecs(source, layers)) bytes += io::ByteSize(spec);
  return static_cast<int64_t>(bytes);
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
    if (replaced_.contains(tensor.name)) continue;
    checksums_[tensor.name] = Crc32(tensor.bytes);
    writer_.Write(tensor.name, tensor.bytes);
  }
}

void CheckpointOutput::WriteChanged(std::vector<format::PackedTensor> tensors) {
  for (const format::PackedTensor& tensor : tensors) {
    checksums_[tensor.spec.name] = Crc32(tensor.bytes);
  }
  WriteLayer(std::move(tensors));
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
  for (const fs::path& name : files.names) {
    CopyFile(source_.folder() / name, folder_.Stage(name.string()));
  }
  notes_ = std::move(files.notes);
}

// Those that were kept before stay too.
void CheckpointOutput::KeepForeignCards() {
  std::string name = "README.old.md";
  const auto carried_over = [&] { return Exists(source_.folder() / name); };
  for (int i = 2; carried_over() || Exists(folder_.path() / name); ++i) {
    if (!carried_over()) CopyFile(folder_.path() / name, folder_.Stage(name));
    name = fmt::format("README.old.{}.md", i);
  }
  const fs::path card = folder_.path() / kModelCard;
  if (!IsRegularFile(card)) return;
  const fs::path carried = source_.folder() / kModelCard;  // as versions before cards did
  const std::string text = ReadFile(card);
  if (IsUneditedCard(text) || (IsRegularFile(carried) && ReadFile(carried) == text)) return;
  CopyFile(card, folder_.Stage(name));
  notes_.push_back(fmt::format("{} was not this program's: kept as {}", card.string(), name));
}

void CheckpointOutput::Commit(const io::Json& config, const io::Json& provenance,
                              const std::string& card) {
  AwaitWrite();
  writer_.Finish();
  CopyOtherFiles();
  KeepForeignCards();
  WriteFile(folder_.Stage(kModelCard), card);
  WriteFile(folder_.Stage(model::kConfigFile), config.dump(2) + "\n");
  if (!provenance.is_null()) {
    // Names of files need not be UTF-8.
    WriteFile(folder_.Stage(kProvenanceFile),
              provenance.dump(2, ' ', false, io::Json::error_handler_t::replace) + "\n");
  }
  folder_.Commit();
  RemoveRunState(folder_.path());
}

}  // namespace paroquant::pipeline
