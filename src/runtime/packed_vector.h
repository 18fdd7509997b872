// One token through a layer of 4-bit codes: bound by how fast the codes come in.
#ifndef PAROQUANT_RUNTIME_PACKED_VECTOR_H_
#define PAROQUANT_RUNTIME_PACKED_VECTOR_H_

#include "paroquant/quant/packed_view.h"
#include "paroquant/quant/rotation.h"

namespace paroquant::runtime {

// True for what MultiplyVector takes: 4 bits and groups of at most 128 channels.
bool TakesVector(const quant::PackedView& packed);

// output [N] = W R(diag(channel_scales) input [K]) for the dequantized codes W and the
// rotation R. Threaded over groups, so that codes are read from front to back and each group is
// rotated by the thread that multiplies it.
void MultiplyVector(const quant::PackedView& packed, const quant::PreparedRotation<float>& rotation,
                    const float* channel_scales, const float* input, float* output);

}  // namespace paroquant::runtime

#endif  // PAROQUANT_RUNTIME_PACKED_VECTOR_H_
