// One token through a layer of 4-bit codes: bound by how fast the codes come in.
#ifndef PAROQUANT_RUNTIME_PACKED_VECTOR_H_
#define PAROQUANT_RUNTIME_PACKED_VECTOR_H_

#include "paroquant/quant/packed_view.h"

namespace paroquant::runtime {

// output [N] = W input [K] for the dequantized codes W, bits 4. Threaded over output features.
void MultiplyVector(const quant::PackedView& packed, const float* input, float* output);

}  // namespace paroquant::runtime

#endif  // PAROQUANT_RUNTIME_PACKED_VECTOR_H_
