// The weights of the model that is quantized.
#ifndef PAROQUANT_PIPELINE_SOURCE_WEIGHT_H_
#define PAROQUANT_PIPELINE_SOURCE_WEIGHT_H_

#include "paroquant/base/matrix.h"
#include "paroquant/model/checkpoint.h"

namespace paroquant::pipeline {

// A linear's weight [N, K] in float32.
inline Matrix ReadWeight(const model::Checkpoint& source, const model::LinearInfo& info) {
  const int64_t n = info.out_features;
  const int64_t k = info.in_features;
  Matrix weight(n, k);
  model::DecodeFloats(source.FloatTensor(info.name + ".weight", {n, k}), 0, n * k, weight.data());
  return weight;
}

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_SOURCE_WEIGHT_H_
