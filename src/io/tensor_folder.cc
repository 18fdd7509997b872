#include "paroquant/io/tensor_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "paroquant/base/error.h"
#include "paroquant/base/file.h"
#include "paroquant/base/folder.h"
#include "paroquant/base/nearest_word.h"
#include "paroquant/io/json.h"

namespace paroquant::io {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSingleFile = "model.safetensors";
constexpr const char* kIndexFile = "model.safetensors.index.json";
constexpr uint64_t kMaxIndexBytes = uint64_t{256} << 20;
constexpr const char* kCompareHint = "Compare the folder with the model's original files.";

// Tensor name to file name, as the index has it.
using WeightMap = std::map<std::string, std::string, std::less<>>;

void CheckIsFolder(const fs::path& folder) {
  if (IsFolder(folder)) return;
  throw Error(ErrorKind::kInput,
              {.where = folder.string(),
               .expected = "a folder with a model",
               .found = Exists(folder) ? "a file" : "No such file or directory",
               .hint = "Give the folder that holds config.json and the safetensors files."});
}

std::string WeightsInOtherFormat(const fs::path& folder) {
  constexpr std::array kExtensions{".bin", ".pt", ".pth", ".gguf", ".h5", ".msgpack", ".onnx"};
  for (const fs::path& path : FolderEntries(folder)) {
    const auto found = std::ranges::find(kExtensions, path.extension().string());
    if (found != kExtensions.end()) return path.filename().string();
  }
  return "";
}

Error NoWeights(const fs::path& folder) {
  const std::string expected = fmt::format("{} or {}", kIndexFile, kSingleFile);
  const std::string other = WeightsInOtherFormat(folder);
  if (!other.empty()) {
    return Error(ErrorKind::kUnsupported,
                 {.where = folder.string(),
                  .expected = expected,
                  .found = other,
                  .hint = "Convert the weights to safetensors first, for example by loading the "
                          "model in transformers and saving it with save_pretrained()."});
  }
  return Error(ErrorKind::kInput, {.where = folder.string(),
                                   .expected = expected,
                                   .found = "neither",
                                   .hint = "Is this the model's folder, and its download whole?"});
}

Error IndexError(const fs::path& index, std::string expected, std::string found) {
  return Error(ErrorKind::kInput, {.where = index.string(),
                                   .expected = std::move(expected),
                                   .found = std::move(found),
                                   .hint = kCompareHint});
}

// A shard lies in the model's folder: a name with a path in it could reach any file.
bool IsPlainFileName(const std::string& name) {
  return !name.empty() && name != "." && name != ".." &&
         name.find_first_of(std::string_view("/\\\0", 3)) == std::string::npos;
}

WeightMap ReadIndex(const fs::path& index) {
  const SortedJson json = ParseSortedJson(ReadFile(index, kMaxIndexBytes), index.string());
  const auto table = json.is_object() ? json.find("weight_map") : json.end();
  if (table == json.end() || !table->is_object() || table->empty()) {
    throw IndexError(index, "an object weight_map with the file of each tensor", "none");
  }
  WeightMap result;
  for (const auto& [tensor, file] : table->items()) {
    if (!file.is_string() || !IsPlainFileName(file.get_ref<const std::string&>())) {
      throw IndexError(
          index, "the name of a file beside the index",
          fmt::format("{} for tensor {}", QuotedTensorName(file.dump()), QuotedTensorName(tensor)));
    }
    result.emplace_hint(result.end(), tensor, file.get<std::string>());
  }
  return result;
}

std::vector<fs::path> ShardPaths(const fs::path& folder, const fs::path& index,
                                 const WeightMap& weights) {
  std::set<std::string> names;
  for (const auto& [tensor, file] : weights) names.insert(file);
  std::vector<fs::path> paths;
  for (const std::string& name : names) {
    if (!Exists(folder / name)) {
      throw IndexError(index, "all its files beside it", "no " + QuotedTensorName(name));
    }
    paths.push_back(folder / name);
  }
  return paths;
}

Error Misplaced(const fs::path& index, std::string_view tensor, const std::string& listed,
                const std::string& file) {
  return Error(ErrorKind::kInput,
               {.where = fmt::format("{}: tensor {}", index.string(), QuotedTensorName(tensor)),
                .expected = fmt::format("it in {} only", QuotedTensorName(listed)),
                .found = "it in " + QuotedTensorName(file),
                .hint = kCompareHint});
}

void CheckComplete(const fs::path& index, const WeightMap& weights,
                   const std::vector<SafetensorsFile>& shards) {
  std::map<std::string, const SafetensorsFile*> by_name;
  for (const SafetensorsFile& shard : shards) by_name[shard.path().filename().string()] = &shard;
  for (const auto& [tensor, file] : weights) {
    if (by_name.at(file)->Find(tensor) != nullptr) continue;
    throw IndexError(index, fmt::format("tensor {} in {}", QuotedTensorName(tensor), file),
                     "no such tensor in that file");
  }
}

}  // namespace

TensorFolder TensorFolder::Open(const fs::path& folder) {
  CheckIsFolder(folder);
  TensorFolder result(folder);
  const fs::path index = folder / kIndexFile;
  if (Exists(index)) {
    result.OpenShards(index);
  } else if (Exists(folder / kSingleFile)) {
    result.files_ = {folder / kSingleFile};
    result.shards_.push_back(SafetensorsFile::Open(result.files_.front()));
    result.tensors_ = result.shards_.front().tensors();
  } else {
    throw NoWeights(folder);
  }
  result.index_.reserve(result.tensors_.size());
  for (const TensorView& tensor : result.tensors_) {
    result.index_.emplace(tensor.name, result.index_.size());
  }
  return result;
}

void TensorFolder::OpenShards(const fs::path& index) {
  const WeightMap weights = ReadIndex(index);
  files_ = ShardPaths(path_, index, weights);
  for (const fs::path& file : files_) shards_.push_back(SafetensorsFile::Open(file));
  for (const SafetensorsFile& shard : shards_) {
    const std::string file = shard.path().filename().string();
    for (const TensorView& tensor : shard.tensors()) {
      const auto listed = weights.find(tensor.name);
      if (listed == weights.end()) continue;
      if (listed->second != file) throw Misplaced(index, tensor.name, listed->second, file);
      tensors_.push_back(tensor);
    }
  }
  CheckComplete(index, weights, shards_);
  files_.push_back(index);
}

const TensorView* TensorFolder::Find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &tensors_[found->second];
}

const TensorView& TensorFolder::Get(std::string_view name) const {
  if (const TensorView* tensor = Find(name)) return *tensor;
  std::string hint = "Is this the model that the config.json beside it describes?";
  std::vector<std::string> names;
  for (const TensorView& tensor : tensors_) names.push_back(tensor.name);
  // Half the name: checkpoints of one model differ in whole prefixes.
  const std::string nearest = NearestWord(name, names, name.size() / 2);
  if (!nearest.empty())
    hint = fmt::format("The nearest name there is {}.", QuotedTensorName(nearest));
  throw Error(ErrorKind::kInput, {.where = path_.string(),
                                  .expected = "a tensor " + QuotedTensorName(name),
                                  .found = "none",
                                  .hint = hint});
}

}  // namespace paroquant::io
