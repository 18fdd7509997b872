// compressed-tensors, "pack-quantized": codes in sequence along K, zero points along N.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "format/bit_rows.h"
#include "format/channel_order.h"
#include "format/layout.h"
#include "format/module_reader.h"
#include "paroquant/quant/packing.h"
#include "text/regex.h"

namespace paroquant::format {
namespace {

constexpr std::array kBits = {4, 8};
constexpr std::array kSuffixes = {".weight_packed", ".weight_scale", ".weight_shape",
                                  ".weight_zero_point", ".weight_g_idx"};

void RequireShape(const ModuleReader& reader, const model::LinearInfo& info) {
  const io::TensorView& tensor = reader.Get(".weight_shape", io::DType::kI64, {2});
  const auto shape = CopyElements<int64_t>(tensor);
  if (shape == std::vector<int64_t>{info.out_features, info.in_features}) return;
  ModuleReader::Fail(tensor, fmt::format("{}, {}", info.out_features, info.in_features),
                     fmt::format("{}, {}", shape[0], shape[1]));
}

// Symmetric checkpoints need none; engines do not look at any that are there nonetheless.
std::vector<uint8_t> ReadZeros(const ModuleReader& reader, const QuantizationConfig& config,
                               int64_t n, int64_t groups) {
  constexpr char kSuffix[] = ".weight_zero_point";
  const uint8_t middle = quant::MiddleCode(config.bits);
  if (config.symmetric && reader.Find(kSuffix) == nullptr) {
    return std::vector<uint8_t>(static_cast<size_t>(n * groups), middle);
  }
  const io::TensorView& tensor =
      reader.Get(kSuffix, io::DType::kI32, {n * config.bits / 32, groups});
  const auto words = Transpose(CopyElements<uint32_t>(tensor), groups);
  std::vector<uint8_t> zeros = Transpose(UnpackRows(words, n, config.bits), n);
  const auto other = std::ranges::find_if(zeros, [&](uint8_t zero) { return zero != middle; });
  if (config.symmetric && other != zeros.end()) {
    ModuleReader::Fail(tensor,
                       fmt::format("zero points of {}, as config.json says \"symmetric\"", middle),
                       fmt::format("{}", *other));
  }
  return zeros;
}

quant::PackedView Read(const io::TensorFolder& tensors, const QuantizationConfig& config,
                       const model::LinearInfo& info) {
  const ModuleReader reader(tensors, info.name);
  const int64_t n = info.out_features;
  const int64_t k = info.in_features;
  const int bits = config.bits;
  const int group_size = GroupSizeOf(config, info);
  const int64_t groups = k / group_size;
  RequireFitInRows(reader.Get(".weight_packed", io::DType::kI32), info, bits, group_size);
  RequireShape(reader, info);
  quant::QuantizedLinear linear = PlainLinear(info, bits, group_size);
  linear.order = ReadOrder(reader, {".weight_g_idx", "\"actorder\": \"group\""}, config, info);
  const auto words =
      CopyElements<uint32_t>(reader.Get(".weight_packed", io::DType::kI32, {n, k * bits / 32}));
  linear.codes = ToPositions(UnpackRows(words, k, bits), linear.order);
  linear.scales = reader.Halves(".weight_scale", {n, groups});
  linear.zeros = ReadZeros(reader, config, n, groups);
  return quant::MakeView(quant::Pack(linear, info.name));
}

std::vector<io::TensorSpec> Specs(const model::LinearInfo& info, const PackedShape& shape) {
  const int64_t n = info.out_features;
  const int64_t k = info.in_features;
  const int64_t groups = k / shape.group_size;
  std::vector<io::TensorSpec> specs = {
      {info.name + ".weight_packed", io::DType::kI32, {n, k * shape.bits / 32}},
      {info.name + ".weight_scale", io::DType::kF16, {n, groups}},
      {info.name + ".weight_shape", io::DType::kI64, {2}}};
  if (!shape.style.symmetric) {
    specs.push_back(
        {info.name + ".weight_zero_point", io::DType::kI32, {n * shape.bits / 32, groups}});
  }
  if (shape.style.act_order) specs.push_back({info.name + ".weight_g_idx", io::DType::kI32, {k}});
  return specs;
}

std::vector<std::vector<std::byte>> EncodeTensors(const quant::QuantizedLinear& linear,
                                                  const PackedStyle& style) {
  const int64_t n = linear.out_features;
  const int64_t k = linear.in_features;
  const int64_t groups = k / linear.group_size;
  std::vector<std::vector<std::byte>> tensors = {
      ToBytes(PackRows(ToChannels(linear.codes, linear.order), k, linear.bits)),
      ToBytes(linear.scales), ToBytes(std::vector<int64_t>{n, k})};
  if (!style.symmetric) {
    const std::vector<uint32_t> zeros =
        PackRows(Transpose(linear.zeros, groups), n, linear.bits);  // [groups, N * bits / 32]
    tensors.push_back(ToBytes(Transpose(zeros, n * linear.bits / 32)));
  }
  if (style.act_order) tensors.push_back(ToBytes(GroupOfChannels(linear)));
  return tensors;
}

std::string FindObstacle(const quant::QuantizedLinear& linear, const PackedStyle& /*style*/) {
  return RowObstacle(linear);
}

// All groups of modules must be quantized alike.
io::JsonObject WeightScheme(const io::JsonObject& settings) {
  const io::JsonObject groups = settings.Object("config_groups");
  if (groups.json().empty()) settings.Fail("config_groups", "a group", "none");
  const std::string first = groups.json().begin().key();
  const io::JsonObject scheme = groups.Object(first.c_str()).Object("weights");
  for (const auto& [name, unused] : groups.json().items()) {
    const io::JsonObject group = groups.Object(name.c_str());
    if (group.Object("weights").json() != scheme.json()) {
      RefuseSetting(settings, "config_groups", "one way to quantize weights",
                    fmt::format("another in {}", name));
    }
    for (const char* activations : {"input_activations", "output_activations"}) {
      if (!group.Has(activations)) continue;
      RefuseSetting(settings, "config_groups", "16-bit activations",
                    fmt::format("{} in {}", activations, name));
    }
  }
  return scheme;
}

// Groups, or one for each output channel.
int ParseStrategy(const io::JsonObject& weights) {
  const int group_size = weights.GetOr("group_size", kWholeRows);
  const auto strategy =
      weights.GetOr<std::string>("strategy", group_size == kWholeRows ? "channel" : "group");
  if (strategy == "group") return ParseGroupSize(weights, "group_size");
  if (strategy != "channel") RefuseSetting(weights, "strategy", "group or channel", strategy);
  if (group_size != kWholeRows) {
    weights.Fail("group_size", "none, as the strategy is channel", fmt::to_string(group_size));
  }
  return kWholeRows;
}

// Do groups hold channels that are no neighbours? Other orders were only that of the work.
bool ParseActOrder(const io::JsonObject& weights) {
  constexpr char kKey[] = "actorder";
  if (!weights.Has(kKey)) return false;
  const io::Json& value = weights.json().at(kKey);
  if (value.is_boolean()) return value.get<bool>();
  const auto order = weights.Get<std::string>(kKey);
  if (order == "group" || order == "dynamic") return true;
  if (order == "weight" || order == "static") return false;
  RefuseSetting(weights, kKey, "group, dynamic, weight or static", order);
}

void Parse(const io::JsonObject& settings, QuantizationConfig& config) {
  const auto format = settings.GetOr<std::string>("format", "pack-quantized");
  if (format != "pack-quantized") RefuseSetting(settings, "format", "pack-quantized", format);
  const io::JsonObject weights = WeightScheme(settings);
  config.bits = ParseBits(weights, "num_bits", kBits);
  const auto type = weights.GetOr<std::string>("type", "int");
  if (type != "int") RefuseSetting(weights, "type", "int", type);
  config.group_size = ParseStrategy(weights);
  config.symmetric = weights.GetOr("symmetric", true);
  config.act_order = ParseActOrder(weights);
  if (weights.GetOr("dynamic", false)) RefuseSetting(weights, "dynamic", "false", "true");
  if (settings.Has("kv_cache_scheme")) {
    RefuseSetting(settings, "kv_cache_scheme", "none", "a quantized cache");
  }
  config.kept = ParseNames(settings, "ignore");
}

// A name, or a regular expression behind "re:".
bool Keeps(const std::string& entry, const std::string& module) {
  constexpr std::string_view kExpression = "re:";
  if (!entry.starts_with(kExpression)) return entry == module;
  const text::Regex regex(entry.substr(kExpression.size()), "quantization_config: ignore");
  return text::Regex::Search(regex, module).Next().has_value();
}

io::Json Describe(const QuantizationConfig& config, const ModuleNames& modules) {
  io::Json ignored = {"lm_head"};
  for (const std::string& module : modules.kept) ignored.push_back(module);
  const bool rows = config.group_size == kWholeRows;
  io::Json weights = {{"num_bits", config.bits},
                      {"type", "int"},
                      {"symmetric", config.symmetric},
                      {"strategy", rows ? "channel" : "group"}};
  if (!rows) weights["group_size"] = config.group_size;
  weights["dynamic"] = false;
  if (config.act_order) weights["actorder"] = "group";
  return {{"quant_method", "compressed-tensors"},
          {"format", "pack-quantized"},
          {"quantization_status", "compressed"},
          {"config_groups", {{"group_0", {{"targets", {"Linear"}}, {"weights", weights}}}}},
          {"ignore", std::move(ignored)}};
}

}  // namespace

const Layout& CompressedTensorsLayout() {
  static constexpr Layout kLayout{.format = FormatKind::kCompressedTensors,
                                  .name = "compressed-tensors",
                                  .suffixes = kSuffixes,
                                  .bits = kBits,
                                  .whole_rows = true,
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
