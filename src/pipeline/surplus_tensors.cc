#include "pipeline/surplus_tensors.h"

#include <fmt/format.h>

#include <charconv>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "paroquant/format/packed_format.h"

namespace paroquant::pipeline {
namespace {

using model::Checkpoint;

bool IsBeyondTheLayers(std::string_view name, const model::Architecture& architecture) {
  const std::string prefix = architecture.names.prefix + "layers.";
  if (!name.starts_with(prefix)) return false;
  name.remove_prefix(prefix.size());
  int64_t layer = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), layer);
  return error == std::errc() && layer >= architecture.layers;
}

// The tensors that the packed layers are made of.
std::unordered_set<std::string> PackedTensors(const Checkpoint& checkpoint) {
  const format::PackedLayers packed(checkpoint);
  std::unordered_set<std::string> names;
  for (int64_t layer = 0; layer < checkpoint.architecture().layers; ++layer) {
    for (const model::LinearInfo& info : DescribeLinears(checkpoint.architecture(), layer)) {
      if (!packed.Has(info)) continue;
      for (std::string& name : packed.Names(info)) names.insert(std::move(name));
    }
  }
  return names;
}

}  // namespace

std::vector<std::string> TensorsBeyondTheLayers(const Checkpoint& checkpoint) {
  std::vector<std::string> names;
  for (const io::TensorView& tensor : checkpoint.tensors().tensors()) {
    if (IsBeyondTheLayers(tensor.name, checkpoint.architecture())) {
      names.push_back(tensor.name);
    }
  }
  return names;
}

std::vector<VerifyProblem> SurplusTensors(const Checkpoint& checkpoint, const Checkpoint* source) {
  const std::unordered_set<std::string> packed = PackedTensors(checkpoint);
  const int64_t layers = checkpoint.architecture().layers;
  std::vector<VerifyProblem> problems;
  for (const io::TensorView& tensor : checkpoint.tensors().tensors()) {
    if (packed.contains(tensor.name)) continue;
    if (source != nullptr) {
      if (source->tensors().Find(tensor.name) != nullptr) continue;
      problems.push_back({tensor.name, "a tensor of the source or of a packed layer", "neither"});
    } else if (IsBeyondTheLayers(tensor.name, checkpoint.architecture())) {
      problems.push_back({tensor.name, fmt::format("blocks 0 to {} by config.json", layers - 1),
                          "a tensor of another block"});
    } else if (format::HasPackedSuffix(tensor.name)) {
      problems.push_back({tensor.name, "a part of a packed layer", "one of no such layer"});
    }
  }
  return problems;
}

}  // namespace paroquant::pipeline
