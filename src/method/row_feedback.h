// Rounding with error feedback between the rows of a layer as well as between its columns.
#ifndef PAROQUANT_METHOD_ROW_FEEDBACK_H_
#define PAROQUANT_METHOD_ROW_FEEDBACK_H_

#include <functional>

#include "paroquant/base/matrix.h"
#include "paroquant/quant/quantized_linear.h"

namespace paroquant::method {

// Rounds a few rows of a weight given channel by channel, [K, rows], into rows 0, 1, ... of a layer
// of that many.
using RowsRounder = std::function<void(const Matrix& channels, quant::QuantizedLinear& rows)>;

// Rounds a weight given channel by channel, [K, N], into `linear`, whose sizes and bits are set,
// for the loss tr(B E H E^T): with B [N, N] the second moment of the gradients at the layer's
// outputs in place of the identity (as YAQA, arXiv 2505.22988). Rows are rounded by `round` in
// blocks of 32, or of the greatest power of two below that divides N, by falling diagonal of B. A
// block's rows imitate weights that make up for the errors of the blocks before, by the same
// factorisation that serves the columns. `output_moment` is symmetric and positive definite.
void RoundWithRowFeedback(const Matrix& channels, const MatrixD& output_moment,
                          const RowsRounder& round, quant::QuantizedLinear& linear);

}  // namespace paroquant::method

#endif  // PAROQUANT_METHOD_ROW_FEEDBACK_H_
