// The products of training: with a weight that is kept whole in float32, channel by channel, so
// that it can be changed between two of them. The seam at which a faster kernel is put in.
#ifndef PAROQUANT_NN_DENSE_PRODUCT_H_
#define PAROQUANT_NN_DENSE_PRODUCT_H_

#include "paroquant/base/matrix.h"

namespace paroquant::nn {

// All are threaded, and the cut depends on the shapes alone.

// output [T, N] = input [T, K] weight, weight [K, N].
void MultiplyDense(ConstMatrixRef input, ConstMatrixRef weight, MatrixRef output);

// input_gradient [T, K] = output_gradient [T, N] weight^T, weight [K, N].
void MultiplyDenseTransposed(ConstMatrixRef output_gradient, ConstMatrixRef weight,
                             MatrixRef input_gradient);

// sum [K, N] += input^T output_gradient, over the T rows of both: the gradient of a weight.
void AddOuterProducts(ConstMatrixRef input, ConstMatrixRef output_gradient, MatrixRef sum);

}  // namespace paroquant::nn

#endif  // PAROQUANT_NN_DENSE_PRODUCT_H_
