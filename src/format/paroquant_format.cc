#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "format/layout.h"
#include "format/module_reader.h"
#include "paroquant/base/half.h"
#include "paroquant/quant/packing.h"

namespace paroquant::format {
namespace {

constexpr std::array kBits = {2, 3, 4, 8};
constexpr std::array kSuffixes = {".qweight", ".qzeros", ".scales",
                                  ".theta",   ".pairs",  ".channel_scales"};

int BitsOf(const io::TensorView& qweight, int64_t out_features) {
  for (const int bits : kBits) {
    const int64_t row_bits = out_features * bits;
    if (row_bits % 32 == 0 && row_bits / 32 == qweight.shape[1]) return bits;
  }
  ModuleReader::Fail(qweight, fmt::format("{} columns of 2, 3, 4 or 8 bits", out_features),
                     fmt::format("{} words a row", qweight.shape[1]));
}

int GroupSizeOf(const io::TensorView& qzeros, int64_t in_features) {
  const int64_t groups = qzeros.shape[0];
  // Products read kernels' worth of channels at a time, which no group may cut.
  if (groups < 1 || in_features % groups != 0 || in_features / groups % 8 != 0) {
    ModuleReader::Fail(
        qzeros, fmt::format("a row for each group of 8, 16, ... of {} channels", in_features),
        fmt::format("{} rows", groups));
  }
  return static_cast<int>(in_features / groups);
}

void RequireFinite(const io::TensorView& theta, const std::vector<uint16_t>& halves) {
  const auto bad = std::find_if_not(halves.begin(), halves.end(),
                                    [](uint16_t bits) { return std::isfinite(HalfToFloat(bits)); });
  if (bad == halves.end()) return;
  ModuleReader::Fail(theta, "finite angles",
                     fmt::format("one that is not finite at element {}", bad - halves.begin()));
}

// Reads a rotation tensor: the module's own, or the one that it shares with other experts.
class RotationReader {
 public:
  RotationReader(const io::TensorFolder& tensors, const model::LinearInfo& info)
      : tensors_(tensors), info_(info) {}

  const io::TensorView& Get(const char* suffix, io::DType dtype,
                            const std::vector<int64_t>& shape) const {
    const std::string shared = SharedRotationName(info_, suffix);
    const bool own = shared.empty() || tensors_.Find(info_.name + suffix) != nullptr;
    return ModuleReader(tensors_, own ? info_.name + suffix : shared).Get("", dtype, shape);
  }
  int64_t Rounds() const {
    const std::string shared = SharedRotationName(info_, ".theta");
    const bool own = shared.empty() || tensors_.Find(info_.name + ".theta") != nullptr;
    return ModuleReader(tensors_, own ? info_.name + ".theta" : shared)
        .Get("", io::DType::kF16)
        .shape[0];
  }

 private:
  const io::TensorFolder& tensors_;
  const model::LinearInfo& info_;
};

quant::PackedView Read(const io::TensorFolder& tensors, const QuantizationConfig& /*config*/,
                       const model::LinearInfo& info) {
  const ModuleReader reader(tensors, info.name);
  const RotationReader rotation(tensors, info);
  const int64_t n = info.out_features;
  const int64_t k = info.in_features;
  const io::TensorView& qweight = reader.Get(".qweight", io::DType::kI32);
  const int bits = BitsOf(qweight, n);
  const int64_t words = n * bits / 32;
  reader.Get(".qweight", io::DType::kI32, {k, words});
  const int group_size = GroupSizeOf(reader.Get(".qzeros", io::DType::kI32), k);
  const int64_t groups = k / group_size;
  const io::TensorView& qzeros = reader.Get(".qzeros", io::DType::kI32, {groups, words});
  const io::TensorView& scales = reader.Get(".scales", io::DType::kF16, {groups, n});
  const io::TensorView& channel_scales = rotation.Get(".channel_scales", io::DType::kF16, {1, k});
  const int64_t rounds = rotation.Rounds();
  const io::TensorView& theta = rotation.Get(".theta", io::DType::kF16, {rounds, k / 2});
  const io::TensorView& pairs = rotation.Get(".pairs", io::DType::kI16, {rounds, k});

  auto storage = std::make_shared<ViewStorage>();
  quant::PackedView view{.out_features = n,
                         .in_features = k,
                         .bits = bits,
                         .group_size = group_size,
                         .qweight = Elements<uint32_t>(qweight, *storage),
                         .qzeros = Elements<uint32_t>(qzeros, *storage),
                         .scales = Elements<uint16_t>(scales, *storage),
                         .channel_scales = CopyElements<uint16_t>(channel_scales),
                         .rotation = {.channels = k,
                                      .group_size = group_size,
                                      .rounds = static_cast<int>(rounds),
                                      .pairs = CopyElements<int16_t>(pairs),
                                      .theta = CopyElements<uint16_t>(theta)},
                         .storage = storage};
  RequireFinite(theta, view.rotation.theta);
  const std::string problem = quant::RotationProblem(view.rotation);
  if (!problem.empty()) ModuleReader::Fail(pairs, "each channel once in each round", problem);
  return view;
}

std::vector<io::TensorSpec> Specs(const model::LinearInfo& info, const PackedShape& shape) {
  const int64_t n = info.out_features;
  const int64_t k = info.in_features;
  const int64_t words = n * shape.bits / 32;
  const int64_t groups = k / shape.group_size;
  return {{info.name + ".qweight", io::DType::kI32, {k, words}},
          {info.name + ".qzeros", io::DType::kI32, {groups, words}},
          {info.name + ".scales", io::DType::kF16, {groups, n}},
          {info.name + ".theta", io::DType::kF16, {shape.rotations, k / 2}},
          {info.name + ".pairs", io::DType::kI16, {shape.rotations, k}},
          {info.name + ".channel_scales", io::DType::kF16, {1, k}}};
}

std::vector<std::vector<std::byte>> EncodeTensors(const quant::QuantizedLinear& linear,
                                                  const PackedStyle& /*style*/) {
  const quant::PackedLinear packed = quant::Pack(linear, "layer");
  return {ToBytes(packed.qweight), ToBytes(packed.qzeros), ToBytes(packed.scales),
          ToBytes(packed.theta),   ToBytes(packed.pairs),  ToBytes(packed.channel_scales)};
}

// Loaders demand at least one round.
std::string FindObstacle(const quant::QuantizedLinear& linear, const PackedStyle& /*style*/) {
  const std::string order = OrderObstacle(linear);
  if (!order.empty()) return order;
  return linear.rotation.rounds > 0 ? "" : "no rotation, not even by nothing";
}

void Parse(const io::JsonObject& settings, QuantizationConfig& config) {
  config.bits = settings.Get<int>("bits");
  config.group_size = settings.Get<int>("group_size");
  config.rotations = settings.Get<int>("krot");
  if (std::ranges::find(kBits, config.bits) == kBits.end()) {
    settings.Fail("bits", "2, 3, 4 or 8", fmt::format("{}", config.bits));
  }
  if (config.group_size < 2 || config.group_size % 2 != 0) {
    settings.Fail("group_size", "an even number", fmt::format("{}", config.group_size));
  }
  if (config.rotations < 0) {
    settings.Fail("krot", "0 or more", fmt::format("{}", config.rotations));
  }
}

io::Json Describe(const QuantizationConfig& config, const ModuleNames& /*modules*/) {
  return {{"quant_method", "paroquant"},
          {"bits", config.bits},
          {"group_size", config.group_size},
          {"krot", config.rotations}};
}

}  // namespace

const Layout& ParoquantLayout() {
  static constexpr Layout kLayout{.format = FormatKind::kParoquant,
                                  .name = "paroquant",
                                  .suffixes = kSuffixes,
                                  .bits = kBits,
                                  .read = Read,
                                  .specs = Specs,
                                  .encode = EncodeTensors,
                                  .obstacle = FindObstacle,
                                  .parse = Parse,
                                  .describe = Describe};
  return kLayout;
}

std::string SharedRotationName(const model::LinearInfo& info, std::string_view suffix) {
  constexpr std::array<std::string_view, 3> kShared = {".theta", ".pairs", ".channel_scales"};
  if (info.expert < 0 || std::ranges::find(kShared, suffix) == kShared.end()) return "";
  constexpr std::string_view kExperts = ".experts.";
  const size_t end = info.name.find(kExperts);
  if (end == std::string::npos) return "";
  const bool down = info.role == model::LinearRole::kDown;
  return fmt::format("{}{}_weight_{}", info.name.substr(0, end + kExperts.size()),
                     down ? "down" : "gate_up", suffix.substr(1));
}

}  // namespace paroquant::format
