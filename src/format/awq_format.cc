// AWQ as AutoAWQ's "gemm" version has it: the paroquant layout without its rotation.
#include <fmt/format.h>

#include <utility>

#include "format/layout.h"
#include "format/module_reader.h"
#include "paroquant/quant/packing.h"

namespace paroquant::format {
namespace {

constexpr std::array kBits = {4};
constexpr std::array kSuffixes = {".qweight", ".qzeros", ".scales"};

quant::PackedView Read(const io::TensorFolder& tensors, const QuantizationConfig& config,
                       const model::LinearInfo& info) {
  const ModuleReader reader(tensors, info.name);
  const int64_t n = info.out_features;
  const int64_t k = info.in_features;
  const int64_t groups = k / config.group_size;
  RequireFit(reader.Get(".qweight", io::DType::kI32), info, config.bits, config.group_size);
  const io::TensorView& qweight = reader.Get(".qweight", io::DType::kI32, {k, n / 8});
  const io::TensorView& qzeros = reader.Get(".qzeros", io::DType::kI32, {groups, n / 8});
  auto storage = std::make_shared<ViewStorage>();
  auto scales = std::make_shared<std::vector<uint16_t>>(reader.Halves(".scales", {groups, n}));
  quant::QuantizedLinear plain = PlainLinear(info, config.bits, config.group_size);
  quant::PackedView view{.out_features = n,
                         .in_features = k,
                         .bits = config.bits,
                         .group_size = config.group_size,
                         .qweight = Elements<uint32_t>(qweight, *storage),
                         .qzeros = Elements<uint32_t>(qzeros, *storage),
                         .scales = *scales,
                         .channel_scales = std::move(plain.channel_scales),
                         .rotation = std::move(plain.rotation),
                         .storage = nullptr};
  view.storage = std::make_shared<std::pair<decltype(storage), decltype(scales)>>(storage, scales);
  return view;
}

std::vector<io::TensorSpec> Specs(const model::LinearInfo& info, const PackedShape& shape) {
  const int64_t n = info.out_features;
  const int64_t k = info.in_features;
  const int64_t groups = k / shape.group_size;
  return {{info.name + ".qweight", io::DType::kI32, {k, n / 8}},
          {info.name + ".qzeros", io::DType::kI32, {groups, n / 8}},
          {info.name + ".scales", io::DType::kF16, {groups, n}}};
}

std::vector<std::vector<std::byte>> EncodeTensors(const quant::QuantizedLinear& linear,
                                                  const PackedStyle& /*style*/) {
  const quant::PackedLinear packed = quant::Pack(linear, "layer");
  return {ToBytes(packed.qweight), ToBytes(packed.qzeros), ToBytes(packed.scales)};
}

std::string FindObstacle(const quant::QuantizedLinear& linear, const PackedStyle& /*style*/) {
  const std::string order = OrderObstacle(linear);
  return order.empty() ? RotationObstacle(linear) : order;
}

void Parse(const io::JsonObject& settings, QuantizationConfig& config) {
  const auto version = settings.GetOr<std::string>("version", "gemm");
  if (version != "gemm" && version != "GEMM") RefuseSetting(settings, "version", "gemm", version);
  if (!settings.GetOr("zero_point", true)) RefuseSetting(settings, "zero_point", "true", "false");
  // The shorter names are those of AutoAWQ's own file.
  config.bits = ParseBits(settings, settings.Has("bits") ? "bits" : "w_bit", kBits);
  config.group_size =
      ParseGroupSize(settings, settings.Has("group_size") ? "group_size" : "q_group_size");
  config.kept = ParseNames(settings, "modules_to_not_convert");
}

// As loaders match: by a part of the name.
bool Keeps(const std::string& entry, const std::string& module) {
  return module.find(entry) != std::string::npos;
}

io::Json Describe(const QuantizationConfig& config, const ModuleNames& modules) {
  io::Json skipped = {"lm_head"};
  for (const std::string& module : WithJoinedNames(modules.kept)) skipped.push_back(module);
  return {{"quant_method", "awq"},
          {"bits", config.bits},
          {"group_size", config.group_size},
          {"zero_point", true},
          {"version", "gemm"},
          {"modules_to_not_convert", std::move(skipped)}};
}

}  // namespace

const Layout& AwqLayout() {
  static constexpr Layout kLayout{.format = FormatKind::kAwq,
                                  .name = "awq",
                                  .suffixes = kSuffixes,
                                  .bits = kBits,
                                  .read = Read,
                                  .specs = Specs,
                                  .encode = EncodeTensors,
                                  .obstacle = FindObstacle,
                                  .keeps = Keeps,
                                  .parse = Parse,
                                  .describe = Describe};
  return kLayout;
}

}  // namespace paroquant::format
