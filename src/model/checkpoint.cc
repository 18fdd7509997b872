#include "paroquant/model/checkpoint.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <utility>

#include "kernels/kernels.h"
#include "model/finite_range.h"
#include "paroquant/base/folder.h"
#include "paroquant/base/parallel.h"

namespace paroquant::model {
namespace {

bool IsFloat(io::DType dtype) {
  return dtype == io::DType::kF16 || dtype == io::DType::kBF16 || dtype == io::DType::kF32;
}

std::string Place(const io::TensorView& tensor) {
  return fmt::format("{}: tensor \"{}\"", tensor.file.string(), tensor.name);
}

// The index of the first element in [first, last) that is no finite number, or -1.
int64_t FirstNonFinite(const io::TensorView& tensor, int64_t first, int64_t last) {
  constexpr int64_t kBlock = 4096;
  std::array<float, kBlock> values;
  for (; first < last; first += kBlock) {
    const int64_t count = std::min(kBlock, last - first);
    DecodeFloats(tensor, first, count, values.data());
    const auto end = values.begin() + count;
    const auto bad =
        std::find_if_not(values.begin(), end, [](float v) { return std::isfinite(v); });
    if (bad != end) return first + (bad - values.begin());
  }
  return -1;
}

// A language model on its own, or as models of several parts call it, by older and newer versions
// of transformers.
TensorNames FindNames(const io::TensorFolder& tensors) {
  TensorNames names;
  for (const char* prefix : {"model.", "model.language_model.", "language_model.model."}) {
    if (tensors.Find(std::string(prefix) + "embed_tokens.weight") == nullptr) continue;
    names.prefix = prefix;
    break;
  }
  constexpr char kHeadOfPart[] = "language_model.lm_head.weight";
  if (tensors.Find(kHeadOfPart) != nullptr) names.head = kHeadOfPart;
  return names;
}

void RequireFloat(const io::TensorView& tensor) {
  if (IsFloat(tensor.dtype)) return;
  throw Error(ErrorKind::kInput, {.where = Place(tensor),
                                  .expected = "F16, BF16 or F32",
                                  .found = io::DTypeName(tensor.dtype),
                                  .hint = "Start from the 16-bit model."});
}

}  // namespace

Checkpoint::Checkpoint(std::filesystem::path folder, io::Json config, Architecture architecture,
                       io::TensorFolder tensors)
    : folder_(std::move(folder)),
      config_(std::move(config)),
      architecture_(std::move(architecture)),
      tensors_(std::move(tensors)) {}

Checkpoint Checkpoint::Open(const std::filesystem::path& folder) {
  const std::filesystem::path config_path = folder / kConfigFile;
  if (!Exists(config_path)) {
    throw Error(ErrorKind::kInput,
                {.where = folder.string(),
                 .expected = "a model folder with config.json",
                 .found = IsFolder(folder) ? "a folder without it"
                          : Exists(folder) ? "a file"
                                           : "no folder",
                 .hint = "Give the folder that holds config.json and the .safetensors files."});
  }
  io::Json config = io::ReadJsonFile(config_path);
  Architecture architecture = ParseArchitecture(config, config_path.string());
  io::TensorFolder tensors = io::TensorFolder::Open(folder);
  architecture.names = FindNames(tensors);
  return {folder, std::move(config), std::move(architecture), std::move(tensors)};
}

const io::TensorView& Checkpoint::FloatTensor(const std::string& name,
                                              const std::vector<int64_t>& shape) const {
  const io::TensorView& tensor = tensors_.Get(name);
  RequireFloat(tensor);
  if (tensor.shape != shape) {
    throw Error(ErrorKind::kInput,
                {.where = Place(tensor),
                 .expected = fmt::format("shape [{}] by config.json", fmt::join(shape, ", ")),
                 .found = fmt::format("[{}]", fmt::join(tensor.shape, ", ")),
                 .hint = "config.json and the weights belong to different models."});
  }
  return tensor;
}

void DecodeFloats(const io::TensorView& tensor, int64_t first, int64_t count, float* target) {
  const size_t size = io::DTypeSize(tensor.dtype);
  const std::byte* source = tensor.bytes.data() + static_cast<size_t>(first) * size;
  if (tensor.dtype == io::DType::kF16) {
    kernels::ActiveKernels().decode_half(source, count, target);
  } else if (tensor.dtype == io::DType::kBF16) {
    kernels::ActiveKernels().decode_bfloat16(source, count, target);
  } else {
    std::memcpy(target, source, static_cast<size_t>(count) * size);
  }
}

float DotFloats(const io::TensorView& tensor, int64_t first, std::span<const float> x) {
  const std::byte* source =
      tensor.bytes.data() + static_cast<size_t>(first) * io::DTypeSize(tensor.dtype);
  const kernels::Kernels& run = kernels::ActiveKernels();
  const auto dot = tensor.dtype == io::DType::kF16    ? run.dot_half
                   : tensor.dtype == io::DType::kBF16 ? run.dot_bfloat16
                                                      : run.dot_float;
  return dot(source, x.data(), std::ssize(x));
}

std::vector<float> DecodeFloats(const io::TensorView& tensor) {
  RequireFloat(tensor);
  std::vector<float> values(static_cast<size_t>(tensor.elements()));
  DecodeFloats(tensor, 0, tensor.elements(), values.data());
  return values;
}

void RequireFinite(const io::TensorView& tensor) { RequireFinite(tensor, 0, tensor.elements()); }

void RequireFinite(const io::TensorView& tensor, int64_t first, int64_t count) {
  if (!IsFloat(tensor.dtype)) return;
  const int64_t bad = FirstNonFinite(tensor, first, first + count);
  if (bad < 0) return;
  throw Error(ErrorKind::kInput, {.where = Place(tensor),
                                  .expected = "finite weights",
                                  .found = fmt::format("NaN or infinity at element {}", bad),
                                  .hint = "The weights are damaged; fetch them again."});
}

void RequireFinite(const io::TensorFolder& tensors) {
  ParallelFor(static_cast<int64_t>(tensors.tensors().size()),
              [&](int64_t i) { RequireFinite(tensors.tensors()[static_cast<size_t>(i)]); });
}

}  // namespace paroquant::model
