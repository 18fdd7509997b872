// Writes a model's tensors as one safetensors file or as shards with an index, one tensor at a
// time and in any order, with no more than that tensor in memory.
#ifndef PAROQUANT_IO_SAFETENSORS_WRITER_H_
#define PAROQUANT_IO_SAFETENSORS_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "paroquant/base/file.h"
#include "paroquant/io/output_folder.h"
#include "paroquant/io/safetensors.h"

namespace paroquant::io {

struct SafetensorsHeader;

struct TensorSpec {
  std::string name;  // UTF-8
  DType dtype;
  std::vector<int64_t> shape;
};

// Of the tensor's data. Throws kInternal for a shape of 2^63 bytes or more.
uint64_t ByteSize(const TensorSpec& spec);

// All tensors are declared first, so every offset, every shard's name and the index are known
// before the first byte. The same declarations and bytes give the same files, bit for bit.
// Not thread safe.
class SafetensorsWriter {
 public:
  // Fills shards with tensors in the order given, up to `shard_size` bytes of data each; a bigger
  // tensor gets a shard of its own. One shard is called model.safetensors, several
  // model-00001-of-000NN.safetensors. Their full size is reserved on disk here, so that a full
  // disk shows now (kSystem). `folder` must outlive this. `metadata` goes into every shard.
  SafetensorsWriter(OutputFolder& folder, std::vector<TensorSpec> tensors, uint64_t shard_size,
                    const std::map<std::string, std::string>& metadata);

  // Writes one declared tensor; each exactly once and with exactly its size (kInternal otherwise).
  // Throws kSystem if the disk refuses.
  void Write(std::string_view name, std::span<const std::byte> bytes);

  // Syncs the shards and writes the index if there are several. kInternal if a tensor is missing.
  void Finish();

 private:
  struct Shard {
    std::string name;
    OutputFile file;
  };
  struct Place {
    size_t shard;
    uint64_t offset;  // from the start of the file
    uint64_t size;
    bool written = false;
  };

  void AddShard(std::string file_name, const SafetensorsHeader& header);
  void WriteIndex();

  OutputFolder& folder_;
  std::vector<Shard> shards_;
  std::unordered_map<std::string, Place> places_;
};

// Writes a file of one tensor. Not atomic.
void WriteSafetensorsFile(const std::filesystem::path& path, const TensorSpec& tensor,
                          std::span<const std::byte> bytes);

}  // namespace paroquant::io

#endif  // PAROQUANT_IO_SAFETENSORS_WRITER_H_
