// How much of a layer's output a quantized weight loses.
#ifndef PAROQUANT_METHOD_OUTPUT_ERROR_H_
#define PAROQUANT_METHOD_OUTPUT_ERROR_H_

#include "paroquant/base/matrix.h"
#include "paroquant/method/input_statistics.h"
#include "paroquant/quant/quantized_linear.h"

namespace paroquant::method {

// tr(E H E^T), E the effective weight of `linear` less W [N, K] and H the second moment of
// `statistics`: the mean over tokens of the squared error of the layer's output.
double OutputError(const ConstMatrixRef& weight, const quant::QuantizedLinear& linear,
                   const InputStatistics& statistics);

// That over tr(W H W^T), the energy of the output, which may be given where it is needed more than
// once; 0 for a layer whose output is zero.
double RelativeOutputError(const ConstMatrixRef& weight, const quant::QuantizedLinear& linear,
                           const InputStatistics& statistics, double output_energy);
double RelativeOutputError(const ConstMatrixRef& weight, const quant::QuantizedLinear& linear,
                           const InputStatistics& statistics);

}  // namespace paroquant::method

#endif  // PAROQUANT_METHOD_OUTPUT_ERROR_H_
