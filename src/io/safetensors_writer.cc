#include "paroquant/io/safetensors_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "io/safetensors_header.h"
#include "paroquant/base/error.h"

namespace paroquant::io {
namespace {

Error WriterFault(std::string_view tensor, std::string expected, std::string found) {
  return Error(ErrorKind::kInternal, {.where = "output tensor " + QuotedTensorName(tensor),
                                      .expected = std::move(expected),
                                      .found = std::move(found),
                                      .hint = "Please report this."});
}

// Cuts the tensors, in their order, into runs that fit a shard. At least one, maybe empty, run.
std::vector<std::vector<TensorSpec>> CutIntoShards(std::vector<TensorSpec> tensors,
                                                   uint64_t shard_size) {
  std::vector<std::vector<TensorSpec>> shards(1);
  uint64_t filled = 0;
  for (TensorSpec& tensor : tensors) {
    const uint64_t size = ByteSize(tensor);
    if (!shards.back().empty() && filled + size > shard_size) {
      shards.emplace_back();
      filled = 0;
    }
    filled += size;
    shards.back().push_back(std::move(tensor));
  }
  return shards;
}

std::string ShardName(size_t shard, size_t count) {
  if (count == 1) return "model.safetensors";
  return fmt::format("model-{:05}-of-{:05}.safetensors", shard + 1, count);
}

// The data starts at a multiple of 8, so if wider elements come first every tensor starts at a
// multiple of its element size: readers that map the file may then use it in place.
SafetensorsHeader LayOut(std::vector<TensorSpec> tensors) {
  std::stable_sort(tensors.begin(), tensors.end(), [](const TensorSpec& a, const TensorSpec& b) {
    return DTypeSize(a.dtype) > DTypeSize(b.dtype);
  });
  SafetensorsHeader header;
  uint64_t position = 0;
  for (TensorSpec& tensor : tensors) {
    const uint64_t end = position + ByteSize(tensor);
    header.entries.push_back(
        {std::move(tensor.name), tensor.dtype, std::move(tensor.shape), position, end});
    position = end;
  }
  return header;
}

}  // namespace

uint64_t ByteSize(const TensorSpec& spec) {
  const std::optional<int64_t> size = TensorBytes(spec.dtype, spec.shape);
  if (!size) throw WriterFault(spec.name, "a shape of less than 2^63 bytes", "a bigger one");
  return static_cast<uint64_t>(*size);
}

SafetensorsWriter::SafetensorsWriter(OutputFolder& folder, std::vector<TensorSpec> tensors,
                                     uint64_t shard_size,
                                     const std::map<std::string, std::string>& metadata)
    : folder_(folder) {
  auto shards = CutIntoShards(std::move(tensors), shard_size);
  for (size_t i = 0; i < shards.size(); ++i) {
    SafetensorsHeader header = LayOut(std::move(shards[i]));
    header.metadata = metadata;
    AddShard(ShardName(i, shards.size()), header);
  }
}

void SafetensorsWriter::AddShard(std::string file_name, const SafetensorsHeader& header) {
  const std::string head = EncodeHeader(header);
  if (head.size() > kMaxSafetensorsHeader) {
    throw Error(ErrorKind::kUnsupported,
                {.where = file_name,
                 .expected = fmt::format("a header of at most {} bytes", kMaxSafetensorsHeader),
                 .found = fmt::format("{} bytes", head.size()),
                 .hint = "Use smaller shards, with fewer tensors in each."});
  }
  for (const HeaderEntry& entry : header.entries) {
    const Place place{shards_.size(), head.size() + entry.begin, entry.end - entry.begin};
    if (!places_.emplace(entry.name, place).second) {
      throw WriterFault(entry.name, "it declared once", "it declared twice");
    }
  }
  OutputFile file(folder_.Stage(file_name));
  file.Reserve(head.size() + (header.entries.empty() ? 0 : header.entries.back().end));
  file.WriteAt(0, std::as_bytes(std::span(head)));
  shards_.push_back({std::move(file_name), std::move(file)});
}

void SafetensorsWriter::Write(std::string_view name, std::span<const std::byte> bytes) {
  const auto found = places_.find(std::string(name));
  if (found == places_.end()) throw WriterFault(name, "a declared tensor", "another one");
  Place& place = found->second;
  if (bytes.size() != place.size) {
    throw WriterFault(name, fmt::format("{} bytes", place.size),
                      fmt::format("{} bytes", bytes.size()));
  }
  if (place.written) throw WriterFault(name, "it written once", "it written twice");
  shards_[place.shard].file.WriteAt(place.offset, bytes);
  place.written = true;
}

void SafetensorsWriter::Finish() {
  for (const auto& [name, place] : places_) {
    if (!place.written) throw WriterFault(name, "it written", "it declared only");
  }
  for (Shard& shard : shards_) {
    shard.file.Sync();
    shard.file.Close();
  }
  if (shards_.size() > 1) WriteIndex();
}

void SafetensorsWriter::WriteIndex() {
  uint64_t total_size = 0;
  auto weight_map = nlohmann::json::object();
  for (const auto& [name, place] : places_) {
    total_size += place.size;
    weight_map[name] = shards_[place.shard].name;
  }
  const nlohmann::json index{{"metadata", {{"total_size", total_size}}},
                             {"weight_map", std::move(weight_map)}};
  WriteFile(folder_.Stage("model.safetensors.index.json"), index.dump(2) + "\n");
}

void WriteSafetensorsFile(const std::filesystem::path& path, const TensorSpec& tensor,
                          std::span<const std::byte> bytes) {
  const std::string head = EncodeHeader(LayOut({tensor}));
  OutputFile file(path);
  file.WriteAt(0, std::as_bytes(std::span(head)));
  file.WriteAt(head.size(), bytes);
  file.Close();
}

}  // namespace paroquant::io
