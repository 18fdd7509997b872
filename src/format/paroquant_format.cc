#include "paroquant/format/paroquant_format.h"

#include <fmt/ranges.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <utility>

#include "paroquant/base/half.h"

namespace paroquant::format {
namespace {

constexpr char kMethod[] = "paroquant";
constexpr std::array kBits = {2, 3, 4, 8};

// Reads a module's tensors and says what is wrong with them.
class ModuleReader {
 public:
  ModuleReader(const io::TensorFolder& tensors, const std::string& module)
      : tensors_(tensors), module_(module) {}

  // The tensor `module.suffix` of this dtype with two extents.
  const io::TensorView& Get(const char* suffix, io::DType dtype) const {
    const io::TensorView& tensor = tensors_.Get(module_ + "." + suffix);
    if (tensor.dtype != dtype) Fail(tensor, io::DTypeName(dtype), io::DTypeName(tensor.dtype));
    if (tensor.shape.size() != 2) Fail(tensor, "two extents", Shape(tensor.shape));
    return tensor;
  }

  const io::TensorView& Get(const char* suffix, io::DType dtype, int64_t rows,
                            int64_t columns) const {
    const io::TensorView& tensor = Get(suffix, dtype);
    const std::vector<int64_t> expected = {rows, columns};
    if (tensor.shape != expected) Fail(tensor, "shape " + Shape(expected), Shape(tensor.shape));
    return tensor;
  }

  [[noreturn]] static void Fail(const io::TensorView& tensor, const std::string& expected,
                                const std::string& found) {
    throw Error(ErrorKind::kInput,
                {.where = fmt::format("{}: tensor \"{}\"", tensor.file.string(), tensor.name),
                 .expected = expected,
                 .found = found,
                 .hint = "The checkpoint is damaged or of another layout; quantize again."});
  }

 private:
  static std::string Shape(const std::vector<int64_t>& shape) {
    return fmt::format("[{}]", fmt::join(shape, ", "));
  }

  const io::TensorFolder& tensors_;
  const std::string& module_;
};

template <typename T>
std::vector<T> Copy(const io::TensorView& tensor) {
  std::vector<T> values(tensor.bytes.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
  return values;
}

// A tensor's elements in place, or a copy in `storage` where they are not aligned.
template <typename T>
std::span<const T> Elements(const io::TensorView& tensor,
                            std::vector<std::vector<std::byte>>& storage) {
  const std::byte* data = tensor.bytes.data();
  if (reinterpret_cast<uintptr_t>(data) % alignof(T) != 0) {
    data = storage.emplace_back(tensor.bytes.begin(), tensor.bytes.end()).data();
  }
  return {reinterpret_cast<const T*>(data), tensor.bytes.size() / sizeof(T)};
}

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

template <typename T>
std::span<const std::byte> Bytes(const std::vector<T>& values) {
  return std::as_bytes(std::span(values));
}

// In the order of PackedSpecs.
std::array<std::pair<const char*, std::span<const std::byte>>, 6> TensorBytes(
    const quant::PackedLinear& packed) {
  return {{{".qweight", Bytes(packed.qweight)},
           {".qzeros", Bytes(packed.qzeros)},
           {".scales", Bytes(packed.scales)},
           {".theta", Bytes(packed.theta)},
           {".pairs", Bytes(packed.pairs)},
           {".channel_scales", Bytes(packed.channel_scales)}}};
}

}  // namespace

std::optional<QuantizationConfig> ParseQuantizationConfig(const io::Json& config_json,
                                                          const std::string& where) {
  const io::JsonObject config(config_json, where);
  if (!config.Has("quantization_config")) return std::nullopt;
  const io::JsonObject object = config.Object("quantization_config");
  const auto method = object.Get<std::string>("quant_method");
  if (method != kMethod) {
    throw Error(ErrorKind::kUnsupported, {.where = object.where() + ": quant_method",
                                          .expected = "paroquant or a 16-bit model",
                                          .found = fmt::format("\"{}\"", method),
                                          .hint = "This quantized format is not read yet."});
  }
  QuantizationConfig quantization{.bits = object.Get<int>("bits"),
                                  .group_size = object.Get<int>("group_size"),
                                  .rotations = object.Get<int>("krot")};
  if (std::find(kBits.begin(), kBits.end(), quantization.bits) == kBits.end()) {
    object.Fail("bits", "2, 3, 4 or 8", fmt::format("{}", quantization.bits));
  }
  if (quantization.group_size < 2 || quantization.group_size % 2 != 0) {
    object.Fail("group_size", "an even number", fmt::format("{}", quantization.group_size));
  }
  if (quantization.rotations < 0) {
    object.Fail("krot", "0 or more", fmt::format("{}", quantization.rotations));
  }
  return quantization;
}

io::Json WithQuantizationConfig(io::Json config, const QuantizationConfig& quantization) {
  config.erase("quantization_config");
  config["quantization_config"] = {{"quant_method", kMethod},
                                   {"bits", quantization.bits},
                                   {"group_size", quantization.group_size},
                                   {"krot", quantization.rotations}};
  return config;
}

bool HasPackedSuffix(std::string_view name) {
  return std::ranges::any_of(kPackedSuffixes,
                             [&](const char* suffix) { return name.ends_with(suffix); });
}

bool IsPacked(const io::TensorFolder& tensors, const std::string& module) {
  return tensors.Find(module + ".qweight") != nullptr;
}

quant::PackedView ReadPacked(const io::TensorFolder& tensors, const model::LinearInfo& info) {
  const ModuleReader reader(tensors, info.name);
  const int64_t n = info.out_features;
  const int64_t k = info.in_features;
  const io::TensorView& qweight = reader.Get("qweight", io::DType::kI32);
  const int bits = BitsOf(qweight, n);
  const int64_t words = n * bits / 32;
  reader.Get("qweight", io::DType::kI32, k, words);
  const int group_size = GroupSizeOf(reader.Get("qzeros", io::DType::kI32), k);
  const int64_t groups = k / group_size;
  const io::TensorView& qzeros = reader.Get("qzeros", io::DType::kI32, groups, words);
  const io::TensorView& scales = reader.Get("scales", io::DType::kF16, groups, n);
  const io::TensorView& channel_scales = reader.Get("channel_scales", io::DType::kF16, 1, k);
  const int64_t rounds = reader.Get("theta", io::DType::kF16).shape[0];
  const io::TensorView& theta = reader.Get("theta", io::DType::kF16, rounds, k / 2);
  const io::TensorView& pairs = reader.Get("pairs", io::DType::kI16, rounds, k);

  auto storage = std::make_shared<std::vector<std::vector<std::byte>>>();
  quant::PackedView view{.out_features = n,
                         .in_features = k,
                         .bits = bits,
                         .group_size = group_size,
                         .qweight = Elements<uint32_t>(qweight, *storage),
                         .qzeros = Elements<uint32_t>(qzeros, *storage),
                         .scales = Elements<uint16_t>(scales, *storage),
                         .channel_scales = Copy<uint16_t>(channel_scales),
                         .rotation = {.channels = k,
                                      .group_size = group_size,
                                      .rounds = static_cast<int>(rounds),
                                      .pairs = Copy<int16_t>(pairs),
                                      .theta = Copy<uint16_t>(theta)},
                         .storage = storage};
  RequireFinite(theta, view.rotation.theta);
  const std::string problem = quant::RotationProblem(view.rotation);
  if (!problem.empty()) ModuleReader::Fail(pairs, "each channel once in each round", problem);
  return view;
}

std::vector<io::TensorSpec> PackedSpecs(const std::string& module, const PackedShape& shape) {
  const int64_t n = shape.out_features;
  const int64_t k = shape.in_features;
  const int64_t words = n * shape.bits / 32;
  const int64_t groups = k / shape.group_size;
  return {{module + ".qweight", io::DType::kI32, {k, words}},
          {module + ".qzeros", io::DType::kI32, {groups, words}},
          {module + ".scales", io::DType::kF16, {groups, n}},
          {module + ".theta", io::DType::kF16, {shape.rotations, k / 2}},
          {module + ".pairs", io::DType::kI16, {shape.rotations, k}},
          {module + ".channel_scales", io::DType::kF16, {1, k}}};
}

void WritePacked(io::SafetensorsWriter& writer, const std::string& module,
                 const quant::PackedLinear& packed) {
  for (const auto& [suffix, bytes] : TensorBytes(packed)) writer.Write(module + suffix, bytes);
}

uint32_t Checksum(const quant::PackedLinear& packed) {
  uLong checksum = 0;
  for (const auto& [suffix, bytes] : TensorBytes(packed)) {
    checksum = crc32_z(checksum, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  }
  return static_cast<uint32_t>(checksum);
}

}  // namespace paroquant::format
