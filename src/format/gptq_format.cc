// GPTQ: codes in sequence along K, zero points along N. Version 1 stores them less 1.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "format/bit_rows.h"
#include "format/channel_order.h"
#include "format/layout.h"
#include "format/module_reader.h"
#include "paroquant/base/error.h"
#include "paroquant/quant/packing.h"
#include "text/regex.h"

namespace paroquant::format {
namespace {

// GPTQModel's way to say that modules whose names match what follows are not quantized.
constexpr std::string_view kKeepPrefix = "-:";
// That of transformers.
constexpr char kQuantizedKey[] = "modules_in_block_to_quantize";
constexpr std::array kBits = {2, 3, 4, 8};
constexpr std::array kSuffixes = {".qweight", ".qzeros", ".scales", ".g_idx"};

// To what version 1 stores. The greatest value would be a zero point of 0 to some engines, and one
// beyond all codes to others.
void AddOne(const io::TensorView& tensor, uint8_t mask, std::vector<uint8_t>& zeros) {
  if (std::ranges::find(zeros, mask) != zeros.end()) {
    throw Error(ErrorKind::kUnsupported,
                {.where = fmt::format("{}: tensor \"{}\"", tensor.file.string(), tensor.name),
                 .expected = fmt::format("zero points less 1, under {}", mask),
                 .found = fmt::format("{}", mask),
                 .hint = "Engines do not agree on what this means; quantize again."});
  }
  for (uint8_t& zero : zeros) ++zero;
}

quant::QuantizedLinear ReadLinear(const io::TensorFolder& tensors, const QuantizationConfig& config,
                                  const model::LinearInfo& info, bool less_one) {
  const ModuleReader reader(tensors, info.name);
  const int64_t n = info.out_features;
  const int64_t k = info.in_features;
  const int bits = config.bits;
  const int group_size = GroupSizeOf(config, info);
  const int64_t groups = k / group_size;
  RequireFitInRows(reader.Get(".qweight", io::DType::kI32), info, bits, group_size);
  const auto words =
      CopyElements<uint32_t>(reader.Get(".qweight", io::DType::kI32, {k * bits / 32, n}));
  quant::QuantizedLinear linear = PlainLinear(info, bits, group_size);
  linear.order = ReadOrder(reader, {".g_idx", "\"desc_act\": true"}, config, info);
  linear.codes = ToPositions(UnpackRows(Transpose(words, n), k, bits), linear.order);
  std::vector<uint8_t> zeros = UnpackRows(
      CopyElements<uint32_t>(reader.Get(".qzeros", io::DType::kI32, {groups, n * bits / 32})), n,
      bits);
  const auto mask = static_cast<uint8_t>((1U << static_cast<unsigned>(bits)) - 1);
  if (less_one) AddOne(reader.Get(".qzeros", io::DType::kI32), mask, zeros);
  linear.zeros = Transpose(zeros, n);
  linear.scales = Transpose(reader.Halves(".scales", {groups, n}), n);
  return linear;
}

template <bool kLessOne>
quant::PackedView Read(const io::TensorFolder& tensors, const QuantizationConfig& config,
                       const model::LinearInfo& info) {
  return quant::MakeView(quant::Pack(ReadLinear(tensors, config, info, kLessOne), info.name));
}

std::vector<io::TensorSpec> Specs(const model::LinearInfo& info, const PackedShape& shape) {
  const int64_t n = info.out_features;
  const int64_t k = info.in_features;
  const int64_t groups = k / shape.group_size;
  return {{info.name + ".qweight", io::DType::kI32, {k * shape.bits / 32, n}},
          {info.name + ".qzeros", io::DType::kI32, {groups, n * shape.bits / 32}},
          {info.name + ".scales", io::DType::kF16, {groups, n}},
          {info.name + ".g_idx", io::DType::kI32, {k}}};
}

template <bool kLessOne>
std::vector<std::vector<std::byte>> EncodeTensors(const quant::QuantizedLinear& linear,
                                                  const PackedStyle& /*style*/) {
  const int64_t n = linear.out_features;
  const int64_t k = linear.in_features;
  const int64_t groups = k / linear.group_size;
  std::vector<uint8_t> zeros = Transpose(linear.zeros, groups);
  if (kLessOne) {
    for (uint8_t& zero : zeros) --zero;
  }
  const std::vector<uint32_t> rows =
      PackRows(ToChannels(linear.codes, linear.order), k, linear.bits);
  return {ToBytes(Transpose(rows, k * linear.bits / 32)), ToBytes(PackRows(zeros, n, linear.bits)),
          ToBytes(Transpose(linear.scales, groups)), ToBytes(GroupOfChannels(linear))};
}

template <bool kLessOne>
std::string FindObstacle(const quant::QuantizedLinear& linear, const PackedStyle& /*style*/) {
  if (kLessOne && std::ranges::find(linear.zeros, 0) != linear.zeros.end()) {
    return "a zero point of 0, which its first version cannot hold (gptq_v2 can)";
  }
  return RowObstacle(linear);
}

// Ends of names, in lists of what is quantized at a time.
std::vector<std::string> ParseQuantized(const io::JsonObject& settings) {
  std::vector<std::string> names;
  if (!settings.Has(kQuantizedKey)) return names;
  for (const io::Json& part : settings.json().at(kQuantizedKey)) {
    if (part.is_string()) names.push_back(part.get<std::string>());
    if (!part.is_array()) continue;
    for (const io::Json& name : part) {
      if (!name.is_string()) settings.Fail(kQuantizedKey, "lists of names", name.dump());
      names.push_back(name.get<std::string>());
    }
  }
  return names;
}

// The ends of the quantized modules' names behind the number of their block, if the same are
// quantized in all blocks, else none.
std::vector<std::string> CommonEnds(const ModuleNames& modules) {
  const auto end = [](const std::string& name) {
    constexpr std::string_view kLayers = ".layers.";
    const size_t layer = name.find(kLayers);
    return layer == std::string::npos ? name
                                      : name.substr(name.find('.', layer + kLayers.size()) + 1);
  };
  std::vector<std::string> ends;
  for (const std::string& name : modules.quantized) {
    if (std::ranges::find(ends, end(name)) == ends.end()) ends.push_back(end(name));
  }
  const bool common = std::ranges::none_of(modules.kept, [&](const std::string& name) {
    return std::ranges::any_of(ends, [&](const std::string& e) { return name.ends_with(e); });
  });
  return common ? ends : std::vector<std::string>();
}

void Parse(const io::JsonObject& settings, QuantizationConfig& config) {
  config.bits = ParseBits(settings, "bits", kBits);
  config.group_size = settings.Get<int>("group_size") == kWholeRows
                          ? kWholeRows
                          : ParseGroupSize(settings, "group_size");
  config.symmetric = settings.GetOr("sym", true);
  config.act_order = settings.GetOr("desc_act", false);
  if (settings.GetOr("lm_head", false)) RefuseSetting(settings, "lm_head", "false", "true");
  config.quantized = ParseQuantized(settings);
  if (!settings.Has("dynamic")) return;
  const io::JsonObject dynamic = settings.Object("dynamic");
  for (const auto& [key, unused] : dynamic.json().items()) {
    if (!key.starts_with(kKeepPrefix)) {
      RefuseSetting(settings, "dynamic", "only modules that are kept, \"-:...\"", key);
    }
    config.kept.push_back(key.substr(kKeepPrefix.size()));
  }
}

// A module's name as a regular expression.
std::string ExactPattern(const std::string& module) {
  std::string pattern = "^";
  for (const char c : module) pattern += c == '.' ? std::string("\\.") : std::string(1, c);
  return pattern + "$";
}

// As engines match: from the name's beginning on.
bool Keeps(const std::string& entry, const std::string& module) {
  const text::Regex regex(fmt::format("^(?:{})", entry), "quantization_config: dynamic");
  return text::Regex::Search(regex, module).Next().has_value();
}

io::Json Describe(const QuantizationConfig& config, const ModuleNames& modules) {
  const bool second = config.format == FormatKind::kGptqV2;
  io::Json json = {{"quant_method", "gptq"},
                   {"bits", config.bits},
                   {"group_size", config.group_size},
                   {"desc_act", config.act_order},
                   {"sym", config.symmetric},
                   {"lm_head", false},
                   {"checkpoint_format", second ? "gptq_v2" : "gptq"}};
  // GPTQModel and vLLM look for the first, transformers for the second.
  for (const std::string& module : WithJoinedNames(modules.kept)) {
    json["dynamic"][std::string(kKeepPrefix) + ExactPattern(module)] = io::Json::object();
  }
  const std::vector<std::string> ends = CommonEnds(modules);
  if (!modules.kept.empty() && !ends.empty()) json[kQuantizedKey] = {ends};
  return json;
}

template <FormatKind kFormat>
constexpr Layout MakeLayout(const char* name) {
  constexpr bool kLessOne = kFormat == FormatKind::kGptq;
  return {.format = kFormat,
          .name = name,
          .suffixes = kSuffixes,
          .bits = kBits,
          .whole_rows = true,
          .read = Read<kLessOne>,
          .specs = Specs,
          .encode = EncodeTensors<kLessOne>,
          .obstacle = FindObstacle<kLessOne>,
          .keeps = Keeps,
          .parse = Parse,
          .describe = Describe};
}

}  // namespace

const Layout& GptqLayout() {
  static constexpr Layout kLayout = MakeLayout<FormatKind::kGptq>("gptq");
  return kLayout;
}

const Layout& GptqV2Layout() {
  static constexpr Layout kLayout = MakeLayout<FormatKind::kGptqV2>("gptq_v2");
  return kLayout;
}

}  // namespace paroquant::format
