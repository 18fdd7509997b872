#include "paroquant/format/packed_format.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>

#include "format/layout.h"
#include "paroquant/base/checksum.h"
#include "paroquant/base/error.h"
#include "paroquant/base/half.h"

namespace paroquant::format {
namespace {

constexpr char kConfigKey[] = "quantization_config";

// In the order of FormatKind.
std::array<const Layout*, 6> Layouts() {
  return {&ParoquantLayout(),         &AwqLayout(),  &GptqLayout(), &GptqV2Layout(),
          &CompressedTensorsLayout(), &DenseLayout()};
}

const Layout& LayoutOf(FormatKind format) { return *Layouts()[static_cast<size_t>(format)]; }

FormatKind ParseMethod(const io::JsonObject& settings) {
  const auto method = settings.Get<std::string>("quant_method");
  if (method == "paroquant") return FormatKind::kParoquant;
  if (method == "awq") return FormatKind::kAwq;
  if (method == "compressed-tensors") return FormatKind::kCompressedTensors;
  if (method == "gptq") {
    const auto version = settings.GetOr<std::string>("checkpoint_format", "gptq");
    if (version == "gptq") return FormatKind::kGptq;
    if (version == "gptq_v2") return FormatKind::kGptqV2;
    RefuseSetting(settings, "checkpoint_format", "gptq or gptq_v2", version);
  }
  RefuseSetting(settings, "quant_method", "paroquant, awq, gptq or compressed-tensors", method);
}

}  // namespace

void RefuseSetting(const io::JsonObject& settings, const char* key, const std::string& expected,
                   const std::string& found) {
  throw Error(ErrorKind::kUnsupported,
              {.where = fmt::format("{}: {}", settings.where(), key),
               .expected = expected,
               .found = found.empty() ? "an empty string" : found,
               .hint = "Quantized checkpoints of this kind are not read."});
}

int ParseBits(const io::JsonObject& settings, const char* key, std::span<const int> allowed) {
  const auto bits = settings.Get<int>(key);
  if (std::ranges::find(allowed, bits) == allowed.end()) {
    RefuseSetting(settings, key, fmt::format("one of {}", fmt::join(allowed, ", ")),
                  fmt::to_string(bits));
  }
  return bits;
}

int ParseGroupSize(const io::JsonObject& settings, const char* key) {
  const auto size = settings.Get<int>(key);
  if (size < 8 || size % 8 != 0) {
    RefuseSetting(settings, key, "groups of 8, 16, ... channels", fmt::to_string(size));
  }
  return size;
}

std::string OrderObstacle(const quant::QuantizedLinear& linear) {
  if (linear.order.empty()) return "";
  return "groups of channels that are no neighbours (act order), which it has no place for";
}

std::string RotationObstacle(const quant::QuantizedLinear& linear) {
  const uint16_t one = FloatToHalf(1.0F);
  constexpr uint16_t kSign = 0x8000;
  if (std::ranges::any_of(linear.rotation.theta,
                          [](uint16_t angle) { return (angle & ~kSign) != 0; })) {
    return "rotations of the inputs, which it has no place for";
  }
  if (std::ranges::any_of(linear.channel_scales, [one](uint16_t scale) { return scale != one; })) {
    return "channel scales of the inputs, which it has no place for";
  }
  return "";
}

std::string RowObstacle(const quant::QuantizedLinear& linear) {
  if (linear.in_features * linear.bits % 32 != 0) {
    return fmt::format("{} channels of {} bits, which fill no whole words", linear.in_features,
                       linear.bits);
  }
  return RotationObstacle(linear);
}

std::vector<std::string> ParseNames(const io::JsonObject& settings, const char* key) {
  std::vector<std::string> names;
  if (!settings.Has(key)) return names;
  const io::Json& list = settings.json().at(key);
  if (!list.is_array()) settings.Fail(key, "a list of names", "something else");
  for (const io::Json& name : list) {
    if (!name.is_string()) settings.Fail(key, "a list of names", name.dump());
    names.push_back(name.get<std::string>());
  }
  return names;
}

int GroupSizeOf(const QuantizationConfig& config, const model::LinearInfo& info) {
  return config.group_size == kWholeRows ? static_cast<int>(info.in_features) : config.group_size;
}

std::vector<std::string> WithJoinedNames(std::vector<std::string> names) {
  struct Set {
    std::vector<std::string_view> parts;
    std::string_view whole;
  };
  static const std::vector<Set> sets = {{{"q_proj", "k_proj", "v_proj"}, "qkv_proj"},
                                        {{"gate_proj", "up_proj"}, "gate_up_proj"}};
  const std::set<std::string> known(names.begin(), names.end());
  for (const std::string& name : known) {
    for (const auto& [parts, whole] : sets) {
      if (!name.ends_with(fmt::format(".{}", parts.front()))) continue;
      const std::string parent = name.substr(0, name.size() - parts.front().size());
      if (std::ranges::all_of(parts, [&](std::string_view part) {
            return known.contains(parent + std::string(part));
          })) {
        names.push_back(parent + std::string(whole));
      }
    }
  }
  return names;
}

std::optional<bool> IsListedAsKept(const QuantizationConfig& config, const std::string& module) {
  const auto keeps = LayoutOf(config.format).keeps;
  if (keeps == nullptr) return std::nullopt;
  const auto ends = [&](const std::string& end) { return module.ends_with(end); };
  if (!config.quantized.empty() && std::ranges::none_of(config.quantized, ends)) return true;
  return std::ranges::any_of(config.kept,
                             [&](const std::string& entry) { return keeps(entry, module); });
}

std::optional<QuantizationConfig> ParseQuantizationConfig(const io::Json& config_json,
                                                          const std::string& where) {
  const io::JsonObject config(config_json, where);
  if (!config.Has(kConfigKey)) return std::nullopt;
  const io::JsonObject settings = config.Object(kConfigKey);
  QuantizationConfig quantization{.format = ParseMethod(settings)};
  LayoutOf(quantization.format).parse(settings, quantization);
  return quantization;
}

io::Json WithQuantizationConfig(io::Json config, const QuantizationConfig& quantization,
                                const ModuleNames& modules) {
  config.erase(kConfigKey);
  if (quantization.format == FormatKind::kDense) return config;
  config[kConfigKey] = LayoutOf(quantization.format).describe(quantization, modules);
  return config;
}

const char* FormatName(FormatKind format) { return LayoutOf(format).name; }

std::vector<std::string> FormatNames() {
  std::vector<std::string> names;
  for (const Layout* layout : Layouts()) names.emplace_back(layout->name);
  return names;
}

FormatKind FindFormat(const std::string& name) {
  for (const Layout* layout : Layouts()) {
    if (name == layout->name) return layout->format;
  }
  throw Error(ErrorKind::kUsage,
              {.where = "--format",
               .expected = fmt::format("one of {}", fmt::join(FormatNames(), ", ")),
               .found = fmt::format("\"{}\"", name),
               .hint = "docs/formats.md describes them."});
}

std::string BitsObstacle(FormatKind format, int bits) {
  const std::span<const int> held = LayoutOf(format).bits;
  if (std::ranges::find(held, bits) != held.end()) return "";
  return fmt::format("{} bits, where it holds {}", bits, fmt::join(held, ", "));
}

std::string GroupObstacle(FormatKind format, int group_size) {
  if (group_size != kWholeRows || LayoutOf(format).whole_rows) return "";
  return "one scale for a whole row, where it holds only groups of one size everywhere";
}

std::string Obstacle(FormatKind format, const quant::QuantizedLinear& linear,
                     const PackedStyle& style) {
  const std::string bits = BitsObstacle(format, linear.bits);
  return bits.empty() ? LayoutOf(format).obstacle(linear, style) : bits;
}

bool HasPackedSuffix(std::string_view name) {
  return std::ranges::any_of(Layouts(), [&](const Layout* layout) {
    if (layout->format == FormatKind::kDense) return false;
    // A module's own, or what experts share.
    return std::ranges::any_of(layout->suffixes, [&](const char* suffix) {
      return name.ends_with(suffix) || name.ends_with(std::string("_weight_") + (suffix + 1));
    });
  });
}

PackedLayers::PackedLayers(const model::Checkpoint& checkpoint)
    : tensors_(&checkpoint.tensors()),
      config_(ParseQuantizationConfig(checkpoint.config(),
                                      (checkpoint.folder() / model::kConfigFile).string())) {}

bool PackedLayers::Has(const model::LinearInfo& info) const {
  return tensors_->Find(info.name + LayoutOf(format()).suffixes.front()) != nullptr;
}

quant::PackedView PackedLayers::Read(const model::LinearInfo& info) const {
  return LayoutOf(format()).read(*tensors_, config_.value_or(QuantizationConfig{}), info);
}

bool PackedLayers::SharesRotation(const model::LinearInfo& info) const {
  return std::ranges::any_of(
      Names(info), [&](const std::string& name) { return !name.starts_with(info.name + "."); });
}

std::vector<std::string> PackedLayers::Names(const model::LinearInfo& info) const {
  std::vector<std::string> names;
  for (const char* suffix : LayoutOf(format()).suffixes) {
    for (const std::string& name : {info.name + suffix, SharedRotationName(info, suffix)}) {
      if (tensors_->Find(name) == nullptr) continue;
      names.push_back(name);
      break;
    }
  }
  return names;
}

std::vector<io::TensorSpec> PackedSpecs(FormatKind format, const model::LinearInfo& info,
                                        const PackedShape& shape) {
  std::vector<io::TensorSpec> specs = LayoutOf(format).specs(info, shape);
  if (!shape.style.shares_rotation) return specs;
  for (io::TensorSpec& spec : specs) {
    const std::string shared = SharedRotationName(info, spec.name.substr(info.name.size()));
    if (!shared.empty()) spec.name = shared;
  }
  return specs;
}

std::vector<PackedTensor> Encode(FormatKind format, const model::LinearInfo& info,
                                 const quant::QuantizedLinear& linear, const PackedStyle& style) {
  std::vector<io::TensorSpec> specs = PackedSpecs(format, info,
                                                  {.bits = linear.bits,
                                                   .group_size = linear.group_size,
                                                   .rotations = linear.rotation.rounds,
                                                   .style = style});
  std::vector<std::vector<std::byte>> bytes = LayoutOf(format).encode(linear, style);
  std::vector<PackedTensor> tensors;
  for (size_t i = 0; i < specs.size(); ++i) {
    tensors.push_back({std::move(specs[i]), std::move(bytes[i])});
  }
  return tensors;
}

uint32_t Checksum(const std::vector<PackedTensor>& tensors) {
  uint32_t checksum = 0;
  for (const PackedTensor& tensor : tensors) checksum = Crc32(tensor.bytes, checksum);
  return checksum;
}

uint32_t Checksum(const io::TensorFolder& tensors, const std::vector<std::string>& names) {
  uint32_t checksum = 0;
  for (const std::string& name : names) checksum = Crc32(tensors.Get(name).bytes, checksum);
  return checksum;
}

}  // namespace paroquant::format
