// One linear layer by itself, as a recipe says: a basis is chosen (channel scales, rotations), then
// the weight is rounded in it.
#ifndef PAROQUANT_METHOD_QUANTIZE_LINEAR_H_
#define PAROQUANT_METHOD_QUANTIZE_LINEAR_H_

#include <cstdint>

#include "paroquant/method/linear_problem.h"
#include "paroquant/method/recipe.h"
#include "paroquant/quant/quantized_linear.h"

namespace paroquant::method {

// What the result is made of.
struct LayerFormat {
  int bits = 4;          // 2, 3, 4 or 8
  int group_size = 128;  // a power of two, divides K
  int rotations = 8;     // rounds of the result, identities where the recipe does not rotate
  uint64_t seed = 0;     // of random pairs
  // A layer whose channel scales and rotation are to be taken, instead of finding some; K and group
  // size are the same. May be null.
  const quant::QuantizedLinear* basis_of = nullptr;
};

// Problem(result) == "" for any finite target and statistics, degenerate ones included. Throws
// kInput for a target that is not finite.
quant::QuantizedLinear QuantizeLinear(const LinearProblem& problem, const LayerRecipe& recipe,
                                      const LayerFormat& format);

}  // namespace paroquant::method

#endif  // PAROQUANT_METHOD_QUANTIZE_LINEAR_H_
