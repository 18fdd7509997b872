// The grids of a group of channels, for whichever way of rounding.
#ifndef PAROQUANT_METHOD_GROUP_GRIDS_H_
#define PAROQUANT_METHOD_GROUP_GRIDS_H_

#include <cstdint>

#include "paroquant/base/matrix.h"
#include "paroquant/method/recipe.h"
#include "paroquant/quant/affine.h"
#include "paroquant/quant/quantized_linear.h"

namespace paroquant::method {

// The grid of each row (column here) of a group [g, n]. `costs` [g, g] is what errors in the
// channels cost, e^T costs e; or [g, 1], the diagonal of such a matrix. kSearched looks at no more
// than the diagonal, kMinMax at nothing.
quant::RowGrids FindGrids(GridRule rule, const ConstMatrixRef& channels, const Matrix& costs,
                          int bits);

// The nearest codes of a channel [n], one for each row's grid.
Eigen::Array<float, 1, Eigen::Dynamic> NearestCodes(
    const Eigen::Ref<const Eigen::RowVectorXf>& channel, const quant::RowGrids& grids, int bits);

// Stores the grids of the rows from `first_row` on.
void StoreGrids(const quant::RowGrids& grids, int64_t group, int64_t first_row,
                quant::QuantizedLinear& linear);

// Stores a channel's codes for the rows from `first_row` on.
void StoreCodes(const Eigen::Array<float, 1, Eigen::Dynamic>& codes, int64_t channel,
                int64_t first_row, quant::QuantizedLinear& linear);

}  // namespace paroquant::method

#endif  // PAROQUANT_METHOD_GROUP_GRIDS_H_
