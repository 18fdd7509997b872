// The check of RequireFinite on a part of a tensor.
#ifndef PAROQUANT_MODEL_FINITE_RANGE_H_
#define PAROQUANT_MODEL_FINITE_RANGE_H_

#include <cstdint>

#include "paroquant/io/safetensors.h"

namespace paroquant::model {

// Throws as RequireFinite does if one of the elements [first, first + count) is not finite.
void RequireFinite(const io::TensorView& tensor, int64_t first, int64_t count);

}  // namespace paroquant::model

#endif  // PAROQUANT_MODEL_FINITE_RANGE_H_
