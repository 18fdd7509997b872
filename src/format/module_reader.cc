#include "format/module_reader.h"

#include <fmt/ranges.h>

#include "paroquant/base/error.h"
#include "paroquant/base/half.h"
#include "paroquant/model/checkpoint.h"
#include "paroquant/quant/packing.h"

namespace paroquant::format {
namespace {

std::string Place(const io::TensorView& tensor) {
  return fmt::format("{}: tensor \"{}\"", tensor.file.string(), tensor.name);
}

std::string Shape(const std::vector<int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

}  // namespace

void ModuleReader::Fail(const io::TensorView& tensor, const std::string& expected,
                        const std::string& found) {
  throw Error(ErrorKind::kInput,
              {.where = Place(tensor),
               .expected = expected,
               .found = found,
               .hint = "The checkpoint is damaged or of another layout; quantize again."});
}

const io::TensorView& ModuleReader::Get(const char* suffix, io::DType dtype) const {
  const io::TensorView& tensor = tensors_.Get(module_ + suffix);
  if (tensor.dtype != dtype) Fail(tensor, io::DTypeName(dtype), io::DTypeName(tensor.dtype));
  if (tensor.shape.size() != 2) Fail(tensor, "two extents", Shape(tensor.shape));
  return tensor;
}

const io::TensorView& ModuleReader::Get(const char* suffix, io::DType dtype,
                                        const std::vector<int64_t>& shape) const {
  const io::TensorView& tensor = tensors_.Get(module_ + suffix);
  if (tensor.dtype != dtype) Fail(tensor, io::DTypeName(dtype), io::DTypeName(tensor.dtype));
  if (tensor.shape != shape) Fail(tensor, "shape " + Shape(shape), Shape(tensor.shape));
  return tensor;
}

const io::TensorView* ModuleReader::Find(const char* suffix) const {
  return tensors_.Find(module_ + suffix);
}

std::vector<uint16_t> ModuleReader::Halves(const char* suffix,
                                           const std::vector<int64_t>& shape) const {
  const io::TensorView& tensor = tensors_.Get(module_ + suffix);
  if (tensor.shape != shape) Fail(tensor, "shape " + Shape(shape), Shape(tensor.shape));
  if (tensor.dtype == io::DType::kF16) return CopyElements<uint16_t>(tensor);
  if (tensor.dtype != io::DType::kBF16 && tensor.dtype != io::DType::kF32) {
    Fail(tensor, "F16, BF16 or F32", io::DTypeName(tensor.dtype));
  }
  std::vector<uint16_t> halves;
  for (const float value : model::DecodeFloats(tensor)) {
    halves.push_back(FloatToHalf(value));
    if (HalfToFloat(halves.back()) == value) continue;
    throw Error(ErrorKind::kUnsupported,
                {.where = Place(tensor),
                 .expected = "scales that F16 holds exactly",
                 .found = fmt::format("{} at element {}", value, halves.size() - 1),
                 .hint = "Such a checkpoint is not read; quantize the 16-bit model instead."});
  }
  return halves;
}

quant::QuantizedLinear PlainLinear(const model::LinearInfo& info, int bits, int group_size) {
  return {.out_features = info.out_features,
          .in_features = info.in_features,
          .bits = bits,
          .group_size = group_size,
          .codes = {},
          .zeros = {},
          .scales = {},
          .channel_scales =
              std::vector<uint16_t>(static_cast<size_t>(info.in_features), FloatToHalf(1.0F)),
          .rotation = {.channels = info.in_features, .group_size = group_size}};
}

void RequireFitInRows(const io::TensorView& codes, const model::LinearInfo& info, int bits,
                      int group_size) {
  RequireFit(codes, info, bits, group_size);
  if (info.in_features * bits % 32 == 0) return;
  throw Error(ErrorKind::kUnsupported,
              {.where = Place(codes),
               .expected = "channels whose codes fill whole words",
               .found = fmt::format("{} channels of {} bits", info.in_features, bits),
               .hint = "Layers of this shape are not read."});
}

void RequireFit(const io::TensorView& codes, const model::LinearInfo& info, int bits,
                int group_size) {
  if (info.in_features % group_size != 0) {
    ModuleReader::Fail(codes, fmt::format("groups of {} channels", group_size),
                       fmt::format("{} channels, which do not divide so", info.in_features));
  }
  if (group_size % 8 != 0) {  // products read so many channels at a time, which no group may cut
    throw Error(ErrorKind::kUnsupported, {.where = Place(codes),
                                          .expected = "a multiple of 8 channels in a group",
                                          .found = fmt::format("{}", group_size),
                                          .hint = "Layers of this shape are not read."});
  }
  const int multiple = quant::PackingMultiple(bits);
  if (info.out_features % multiple == 0) return;
  throw Error(ErrorKind::kUnsupported,
              {.where = Place(codes),
               .expected = fmt::format("a multiple of {} output features", multiple),
               .found = fmt::format("{}", info.out_features),
               .hint = "Layers of this shape are not read."});
}

}  // namespace paroquant::format
