#include "pipeline/checkpoint_output.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <unordered_map>

#include "paroquant/base/error.h"
#include "paroquant/base/file.h"
#include "paroquant/format/paroquant_format.h"
#include "paroquant/pipeline/quantize.h"

namespace paroquant::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr char kConfigFile[] = "config.json";

// Weights in other formats would double the output and contradict it.
constexpr std::array kWeightExtensions = {".safetensors", ".bin", ".pt",   ".pth",
                                          ".gguf",        ".h5",  ".onnx", ".msgpack"};

// Refuses an OUT that is the source folder or lies inside it.
const fs::path& CheckedOut(const fs::path& in, const fs::path& out) {
  const fs::path canonical_in = fs::canonical(in);
  for (fs::path folder = fs::weakly_canonical(fs::absolute(out));; folder = folder.parent_path()) {
    if (folder == canonical_in) {
      throw Error(ErrorKind::kUsage, {.where = "--out " + out.string(),
                                      .expected = "a folder outside the source model",
                                      .found = "one inside " + in.string(),
                                      .hint = "Choose another folder."});
    }
    if (folder == folder.parent_path()) return out;
  }
}

// The quantized layers by the name of the tensor that they replace.
std::unordered_map<std::string, const LayerPlan*> ReplacedTensors(
    const std::vector<LayerPlan>& plans) {
  std::unordered_map<std::string, const LayerPlan*> replaced;
  for (const LayerPlan& plan : plans) {
    if (plan.quantized) replaced.emplace(plan.info.name + ".weight", &plan);
  }
  return replaced;
}

// The source's tensors in their order, each replaced one followed by its packed form.
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

// What engines look for, the source's own notes, and how the weights were made.
std::map<std::string, std::string> Metadata(const model::Checkpoint& source,
                                            const QuantizeOptions& options) {
  std::map<std::string, std::string> metadata = source.tensors().metadata();
  metadata["format"] = "pt";
  metadata["paroquant"] = RecipeJson(options).dump();
  return metadata;
}

bool IsWeightFile(const fs::path& path) {
  const std::string extension = path.extension().string();
  return path.filename() == "model.safetensors.index.json" ||
         std::find(kWeightExtensions.begin(), kWeightExtensions.end(), extension) !=
             kWeightExtensions.end();
}

}  // namespace

CheckpointOutput::CheckpointOutput(const model::Checkpoint& source, const QuantizeOptions& options,
                                   int rotations, const std::vector<LayerPlan>& plans)
    : source_(source),
      options_(options),
      rotations_(rotations),
      folder_(io::OutputFolder::Create(CheckedOut(options.model, options.out), options.overwrite)),
      writer_(folder_, OutputSpecs(source, rotations, plans), options.shard_size,
              Metadata(source, options)) {}

void CheckpointOutput::CopyUntouchedTensors(const std::vector<LayerPlan>& plans) {
  const auto replaced = ReplacedTensors(plans);
  for (const io::TensorView& tensor : source_.tensors().tensors()) {
    if (!replaced.contains(tensor.name)) writer_.Write(tensor.name, tensor.bytes);
  }
}

void CheckpointOutput::WriteLayer(const std::string& module, const quant::PackedLinear& packed) {
  format::WritePacked(writer_, module, packed);
}

void CheckpointOutput::CopyOtherFiles() {
  const std::vector<fs::path>& weights = source_.tensors().files();
  std::set<fs::path> entries;  // in an order that does not depend on the file system
  for (const auto& entry : fs::directory_iterator(source_.folder())) entries.insert(entry.path());
  for (const fs::path& path : entries) {
    const std::string name = path.filename().string();
    const bool own = std::find(weights.begin(), weights.end(), path) != weights.end();
    if (own || name == kConfigFile || name == kProvenanceFile) continue;
    if (!fs::is_regular_file(path)) {
      notes_.push_back(fmt::format("not carried over: {} (no file)", name));
    } else if (IsWeightFile(path)) {
      notes_.push_back(fmt::format("not carried over: {} (other weights)", name));
    } else {
      CopyFile(path, folder_.Stage(name));
    }
  }
}

void CheckpointOutput::Commit(const io::Json& provenance) {
  writer_.Finish();
  CopyOtherFiles();
  const io::Json config = format::WithQuantizationConfig(
      source_.config(), {options_.recipe.bits, options_.recipe.group_size, rotations_});
  WriteFile(folder_.Stage(kConfigFile), config.dump(2) + "\n");
  WriteFile(folder_.Stage(kProvenanceFile), provenance.dump(2) + "\n");
  folder_.Commit();
}

}  // namespace paroquant::pipeline
