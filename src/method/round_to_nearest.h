// Rounding without feedback in any basis.
#ifndef PAROQUANT_METHOD_ROUND_TO_NEAREST_H_
#define PAROQUANT_METHOD_ROUND_TO_NEAREST_H_

#include "method/basis.h"
#include "paroquant/base/matrix.h"
#include "paroquant/quant/quantized_linear.h"

namespace paroquant::method {

// `target` [N, K], finite, on min-max grids in the given basis.
quant::QuantizedLinear RoundToNearest(const ConstMatrixRef& target, Basis basis, int bits);

}  // namespace paroquant::method

#endif  // PAROQUANT_METHOD_ROUND_TO_NEAREST_H_
