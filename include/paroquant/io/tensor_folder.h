// All weights of a Hugging Face model folder, whether they lie in one file or in shards.
#ifndef PAROQUANT_IO_TENSOR_FOLDER_H_
#define PAROQUANT_IO_TENSOR_FOLDER_H_

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "paroquant/io/safetensors.h"

namespace paroquant::io {

// The files are those that model.safetensors.index.json names, or else model.safetensors; other
// safetensors files beside them are no part of the model. A tensor of a shard that the index does
// not list is left out, as the index is the model's own table of contents; a listed one that lies
// in two shards is refused, because engines differ in which of them they take.
class TensorFolder {
 public:
  // Throws kInput naming folder, file and tensor if something is missing, doubled or damaged, or if
  // `folder` is no folder; kUnsupported if its weights are in another format.
  static TensorFolder Open(const std::filesystem::path& folder);

  const std::filesystem::path& path() const { return path_; }
  // Shard by shard in the order of their names, each in the order of its data.
  const std::vector<TensorView>& tensors() const { return tensors_; }
  // nullptr if there is no such tensor.
  const TensorView* Find(std::string_view name) const;
  // Throws kInput with the nearest name there is as a hint if there is no such tensor.
  const TensorView& Get(std::string_view name) const;
  // The safetensors files in the order of their names, then the index if there is one.
  const std::vector<std::filesystem::path>& files() const { return files_; }
  // The metadata of the first file.
  const std::map<std::string, std::string>& metadata() const { return shards_.front().metadata(); }

 private:
  explicit TensorFolder(std::filesystem::path path) : path_(std::move(path)) {}
  void OpenShards(const std::filesystem::path& index);

  std::filesystem::path path_;
  std::vector<SafetensorsFile> shards_;
  std::vector<TensorView> tensors_;
  std::unordered_map<std::string_view, size_t> index_;  // the keys view the names in tensors_
  std::vector<std::filesystem::path> files_;
};

}  // namespace paroquant::io

#endif  // PAROQUANT_IO_TENSOR_FOLDER_H_
