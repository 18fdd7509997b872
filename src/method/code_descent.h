// Exact coordinate descent on the codes of a layer that is rounded already.
#ifndef PAROQUANT_METHOD_CODE_DESCENT_H_
#define PAROQUANT_METHOD_CODE_DESCENT_H_

#include "paroquant/base/matrix.h"
#include "paroquant/quant/quantized_linear.h"

namespace paroquant::method {

// Moves codes of `linear` by whole steps while that lowers tr(B E H E^T), E the error of its
// rounded weight against `channels` [K, N] (see RotatedChannels), H [K, K] the inputs' moment in
// the basis and B [N, N] the moment of the gradients at the outputs, or the identity if null:
// `passes` times, row after row and code after code. Grids stay. The same result for any number of
// threads.
void DescendCodes(const Matrix& channels, const MatrixD& moment, const MatrixD* output_moment,
                  int passes, quant::QuantizedLinear& linear);

}  // namespace paroquant::method

#endif  // PAROQUANT_METHOD_CODE_DESCENT_H_
