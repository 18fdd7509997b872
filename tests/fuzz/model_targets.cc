// What a model's folder consists of: weights, their index, config.json and packed layers.
#include <algorithm>
#include <cmath>
#include <string>

#include "paroquant/base/checksum.h"
#include "paroquant/format/packed_format.h"
#include "paroquant/io/json.h"
#include "paroquant/io/safetensors.h"
#include "paroquant/io/tensor_folder.h"
#include "paroquant/model/architecture.h"
#include "paroquant/model/checkpoint.h"
#include "paroquant/model/tensors.h"
#include "paroquant/quant/packing.h"
#include "tests/fuzz/input_folder.h"
#include "tests/fuzz/targets.h"

namespace paroquant::fuzz {
namespace {

constexpr char kWeights[] = "model.safetensors";

// A safetensors file with this header and so many zero bytes of data.
std::string SmallFile(const std::string& header, size_t data_size) {
  std::string bytes(8, '\0');
  bytes[0] = static_cast<char>(header.size());
  return bytes + header + std::string(data_size, '\0');
}

void RequireGoodTensor(const io::TensorView& tensor) {
  Require(
      static_cast<uint64_t>(tensor.elements()) * io::DTypeSize(tensor.dtype) == tensor.bytes.size(),
      "as many bytes as the shape says");
  Crc32(tensor.bytes);  // reads each of them
}

void RequireGoodRope(const model::RopeSettings& rope, int64_t head_dim) {
  const int64_t turned = model::RotaryChannels(rope, head_dim);
  Require(turned >= 2 && turned <= head_dim && turned % 2 == 0, "pairs of channels that turn");
  Require(std::isfinite(rope.theta) && rope.theta > 0.0, "a base of the frequencies");
  Require(std::isfinite(rope.attention_factor), "a finite factor of cosines and sines");
}

void RequireGoodArchitecture(const model::Architecture& architecture) {
  const auto layers = static_cast<size_t>(architecture.layers);
  Require(architecture.windows.size() == layers && architecture.rope_uses.size() == layers,
          "settings of each layer");
  Require(architecture.heads % architecture.kv_heads == 0, "heads that share keys evenly");
  RequireGoodRope(architecture.rope, architecture.head_dim);
  const auto is_local = [](model::RopeUse use) { return use == model::RopeUse::kLocal; };
  if (std::ranges::any_of(architecture.rope_uses, is_local)) {
    RequireGoodRope(architecture.local_rope, architecture.head_dim);
  }
}

}  // namespace

void ReadSafetensors(std::string_view input) {
  static const InputFolder folder;
  const auto file = io::SafetensorsFile::Open(folder.Write(kWeights, input));
  for (const io::TensorView& tensor : file.tensors()) {
    RequireGoodTensor(tensor);
    Require(file.Find(tensor.name) == &tensor, "a tensor found by its name");
  }
}

void ReadIndex(std::string_view input) {
  static const InputFolder folder;
  static const bool prepared = [] {
    folder.Write("a.safetensors",
                 SmallFile(R"({"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                           R"("y":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
                           2));
    folder.Write("b.safetensors",
                 SmallFile(R"({"z":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1));
    return true;
  }();
  Require(prepared, "two shards");
  folder.Write("model.safetensors.index.json", input);
  const auto tensors = io::TensorFolder::Open(folder.path());
  for (const io::TensorView& tensor : tensors.tensors()) {
    RequireGoodTensor(tensor);
    Require(&tensors.Get(tensor.name) == &tensor, "a tensor found by its name");
  }
}

void ReadConfig(std::string_view input) {
  const io::Json config = io::ParseJson(input, model::kConfigFile);
  if (const auto settings = format::ParseQuantizationConfig(config, model::kConfigFile)) {
    format::IsListedAsKept(*settings, "model.layers.0.mlp.up_proj");
  }
  const model::Architecture architecture = model::ParseArchitecture(config, model::kConfigFile);
  RequireGoodArchitecture(architecture);
  model::DescribeOtherTensors(architecture);
  const auto linears = model::DescribeLinears(architecture, architecture.layers - 1);
  model::LinearStages(linears);
}

// The first line is the quantization_config, the rest a safetensors file with one layer.
void ReadPackedLayer(std::string_view input) {
  static const InputFolder folder;
  const size_t end = std::min(input.find('\n'), input.size());
  io::Json config = {{"model_type", "llama"},   {"vocab_size", 100},
                     {"hidden_size", 64},       {"num_hidden_layers", 1},
                     {"intermediate_size", 16}, {"num_attention_heads", 1}};
  config["quantization_config"] = io::ParseJson(input.substr(0, end), model::kConfigFile);
  folder.Write(model::kConfigFile, config.dump());
  folder.Write(kWeights, input.substr(std::min(end + 1, input.size())));
  const auto checkpoint = model::Checkpoint::Open(folder.path());
  const format::PackedLayers layers(checkpoint);
  const auto linears = model::DescribeLinears(checkpoint.architecture(), 0);
  const auto role = [](const model::LinearInfo& info) { return info.role; };
  const model::LinearInfo& info = *std::ranges::find(linears, model::LinearRole::kUp, role);
  layers.Names(info);
  const quant::QuantizedLinear linear = quant::Unpack(quant::Copy(layers.Read(info)), info.name);
  Require(quant::Problem(linear).empty(), "a layer that keeps its rules");
}

}  // namespace paroquant::fuzz
