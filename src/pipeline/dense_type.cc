#include "pipeline/dense_type.h"

#include <array>
#include <cstdint>
#include <utility>

#include "paroquant/format/packed_format.h"

namespace paroquant::pipeline {
namespace {

constexpr std::array kTypes = {std::pair{io::DType::kF16, "float16"},
                               std::pair{io::DType::kBF16, "bfloat16"},
                               std::pair{io::DType::kF32, "float32"}};

void SetType(io::Json& config, const char* name) {
  for (const char* key : {"dtype", "torch_dtype"}) {
    if (config.contains(key) && config[key].is_string()) config[key] = name;
  }
}

}  // namespace

io::DType DenseType(const model::Checkpoint& checkpoint) {
  io::DType most = io::DType::kF16;
  int64_t most_elements = 0;
  for (const auto& [dtype, unused] : kTypes) {
    int64_t elements = 0;
    for (const io::TensorView& tensor : checkpoint.tensors().tensors()) {
      if (tensor.dtype != dtype || format::HasPackedSuffix(tensor.name)) continue;
      elements += tensor.elements();
    }
    if (elements <= most_elements) continue;
    most = dtype;
    most_elements = elements;
  }
  return most;
}

io::Json WithDenseType(io::Json config, io::DType dtype) {
  for (const auto& [type, name] : kTypes) {
    if (type != dtype) continue;
    SetType(config, name);
    for (auto& [key, part] : config.items()) {  // of a model of several parts
      if (part.is_object()) SetType(part, name);
    }
  }
  return config;
}

}  // namespace paroquant::pipeline
