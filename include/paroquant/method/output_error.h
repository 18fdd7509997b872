// How much of a layer's output a quantized weight loses.
#ifndef PAROQUANT_METHOD_OUTPUT_ERROR_H_
#define PAROQUANT_METHOD_OUTPUT_ERROR_H_

#include "paroquant/base/matrix.h"
#include "paroquant/method/input_statistics.h"
#include "paroquant/quant/quantized_linear.h"

namespace paroquant::method {

// tr(E H E^T) / tr(W H W^T), E the difference of W [N, K] and the effective weight of `linear`;
// 0 for a layer whose output is zero.
double RelativeOutputError(const ConstMatrixRef& weight, const quant::QuantizedLinear& linear,
                           const InputStatistics& statistics);

}  // namespace paroquant::method

#endif  // PAROQUANT_METHOD_OUTPUT_ERROR_H_
