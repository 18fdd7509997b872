#include "pipeline/checkpoint_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <iterator>

#include "paroquant/base/error.h"
#include "paroquant/base/folder.h"
#include "paroquant/base/half.h"
#include "paroquant/format/packed_format.h"
#include "paroquant/pipeline/quantize.h"

namespace paroquant::pipeline {
namespace {

constexpr uint16_t kInfinity = 0x7C00;  // as a half

void RequireChecksum(const io::TensorFolder& folder, const std::string& where,
                     const std::vector<std::string>& names, uint32_t expected) {
  const uint32_t found = format::Checksum(folder, names);
  if (found == expected) return;
  throw Error(ErrorKind::kInput,
              {.where = where,
               .expected = fmt::format("the checksum {:08x} of {}", expected, kProvenanceFile),
               .found = fmt::format("{:08x}: its bytes are not those that were written", found),
               .hint = "paroquant verify tells what else is damaged; fetch or quantize again."});
}

}  // namespace

void CheckpointReport::Read(const std::filesystem::path& path) {
  if (Exists(path)) Parse(io::ReadJsonFile(path), path.string());
}

void CheckpointReport::Parse(const io::Json& report, const std::string& where) {
  const io::JsonObject root(report, where);
  if (!root.Has("layers") || !report.at("layers").is_array()) {
    root.Fail("layers", "a list", "something else");
  }
  if (root.Has("tensors")) {
    const io::JsonObject tensors = root.Object("tensors");
    for (const auto& [name, checksum] : tensors.json().items()) {
      const io::Json one = {{"crc32", checksum}};
      tensors_[name] = io::JsonObject(one, io::JsonObject::PlaceOf(tensors.where(), name))
                           .Get<uint32_t>("crc32");
    }
  }
  for (const io::Json& entry : report.at("layers")) {
    const io::JsonObject layer(entry, io::JsonObject::PlaceOf(where, "layers"));
    if (!layer.Has("relative_weight_error")) continue;
    ReportedLayer& reported = layers_[layer.Get<std::string>("name")];
    reported.weight_error = layer.Get<double>("relative_weight_error");
    if (layer.Has("crc32")) reported.checksum = layer.Get<uint32_t>("crc32");
    if (layer.Has("channel_scales_in")) ReadFolding(layer);
  }
}

void CheckpointReport::ReadFolding(const io::JsonObject& layer) {
  constexpr char kScales[] = "channel_scales";
  const auto into = layer.Get<std::string>("channel_scales_in");
  const std::vector<uint16_t> scales = FromHex(layer.Get<std::string>(kScales));
  const auto bad = [](uint16_t half) { return !(HalfToFloat(half) > 0 && half < kInfinity); };
  if (scales.empty() || std::ranges::any_of(scales, bad)) {
    layer.Fail(kScales, "halves > 0 in hexadecimal digits", layer.Get<std::string>(kScales));
  }
  folded_[layer.Get<std::string>("name")].columns = scales;
  folded_[into].rows = scales;
}

const ReportedLayer* CheckpointReport::Find(const std::string& module) const {
  const auto found = layers_.find(module);
  return found == layers_.end() ? nullptr : &found->second;
}

void CheckpointReport::RequireAsWritten(const io::TensorFolder& folder, const std::string& module,
                                        const std::vector<std::string>& names) const {
  const ReportedLayer* reported = Find(module);
  if (reported == nullptr || !reported->checksum) return;
  RequireChecksum(folder, module, names, *reported->checksum);
}

void CheckpointReport::RequireAsWritten(const io::TensorFolder& folder,
                                        const std::string& tensor) const {
  RequireChecksum(folder, tensor, {tensor}, tensors_.at(tensor));
}

FoldedScales CheckpointReport::ScalesOf(const model::LinearInfo& info) const {
  const auto found = folded_.find(info.name);
  if (found == folded_.end()) return {};
  const auto& [columns, rows] = found->second;
  if ((!columns.empty() && std::ssize(columns) != info.in_features) ||
      std::ssize(rows) > info.out_features) {
    throw Error(
        ErrorKind::kInput,
        {.where = info.name,
         .expected = "as many channel scales as the layer has channels",
         .found = fmt::format("{} in {}", std::max(columns.size(), rows.size()), kProvenanceFile),
         .hint = "Quantize again."});
  }
  return found->second;
}

const std::vector<uint16_t>* CheckpointReport::FindFolded(const io::TensorView& original) const {
  const bool bias = original.name.ends_with(kBias);
  const auto found = folded_.find(
      bias ? original.name.substr(0, original.name.size() - std::strlen(kBias)) : original.name);
  if (found == folded_.end() || found->second.rows.empty()) return nullptr;
  const std::vector<uint16_t>& scales = found->second.rows;
  const auto size = std::ssize(scales);
  return (bias ? size <= original.elements() : size == original.elements()) ? &scales : nullptr;
}

}  // namespace paroquant::pipeline
