// Which rotation suits a group best: none, the Walsh-Hadamard transform or the closed form.
#ifndef PAROQUANT_METHOD_ROTATION_CHOICE_H_
#define PAROQUANT_METHOD_ROTATION_CHOICE_H_

#include <cstdint>

#include "paroquant/base/matrix.h"
#include "paroquant/quant/quantized_linear.h"

namespace paroquant::method {

// What rounding a group with feedback promises to cost, before any rounding:
//   log sum_i d_i + log mean over rows of |w|_4^2,
// w a row of `channels` [g, N] and d_i what an error in a channel costs once the channels after it
// have made up for it, from the pivots of `block` [g, g]: the group's block of the block LDL of the
// inputs' second moment. Both in the same basis. Minus infinity for weights that are all 0.
double ExpectedLogError(const Matrix& channels, const MatrixD& block);

// For each group of `channels` [K, N] that of the three rotations with the least expected error,
// the simplest if they are the same. `moment` [K, K], positive definite, is that of the inputs in
// the channels' basis.
quant::Rotation ChooseRotation(const Matrix& channels, const MatrixD& moment, int group_size,
                               int rounds);

}  // namespace paroquant::method

#endif  // PAROQUANT_METHOD_ROTATION_CHOICE_H_
