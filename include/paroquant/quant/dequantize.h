// From a QuantizedLinear back to weights.
#ifndef PAROQUANT_QUANT_DEQUANTIZE_H_
#define PAROQUANT_QUANT_DEQUANTIZE_H_

#include "paroquant/base/matrix.h"
#include "paroquant/quant/quantized_linear.h"

namespace paroquant::quant {

// (code - zero) * scale, [N, K]: the weight that meets scaled and rotated activations.
Matrix Dequantize(const QuantizedLinear& linear);

// unrotate(Dequantize(linear)) * diag(channel_scales), its columns back in the order of the input
// channels, [N, K]: the weight that meets plain activations, to compare with the one that was
// quantized.
Matrix EffectiveWeight(const QuantizedLinear& linear);

// The channel scales as floats, [K].
Vector ChannelScales(const QuantizedLinear& linear);

// |E|^2 / |W|^2 in Frobenius norms, E the effective weight minus W [N, K]; 0 if W is zero.
double RelativeWeightError(const ConstMatrixRef& weight, const QuantizedLinear& linear);

}  // namespace paroquant::quant

#endif  // PAROQUANT_QUANT_DEQUANTIZE_H_
