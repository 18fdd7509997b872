// The inverse of DecodeFloats.
#ifndef PAROQUANT_MODEL_ENCODE_FLOATS_H_
#define PAROQUANT_MODEL_ENCODE_FLOATS_H_

#include <cstddef>
#include <span>
#include <vector>

#include "paroquant/io/safetensors.h"

namespace paroquant::model {

// The elements of a tensor, rounded to a float type: F16 (to infinity beyond it), BF16 or F32.
std::vector<std::byte> EncodeFloats(std::span<const float> values, io::DType dtype);

}  // namespace paroquant::model

#endif  // PAROQUANT_MODEL_ENCODE_FLOATS_H_
