// The Walsh-Hadamard transform as rounds of pairwise rotations.
#ifndef PAROQUANT_METHOD_HADAMARD_ROTATION_H_
#define PAROQUANT_METHOD_HADAMARD_ROTATION_H_

#include <cstdint>

#include "paroquant/quant/quantized_linear.h"

namespace paroquant::method {

// Round r turns, by 45 degrees, the channels of each group whose ids differ in bit r alone; after
// log2(g) rounds every channel is an even mix of all, up to signs. Rounds beyond those have the
// angle 0. `group_size` is a power of two.
quant::Rotation HadamardRotation(int64_t channels, int group_size, int rounds);

}  // namespace paroquant::method

#endif  // PAROQUANT_METHOD_HADAMARD_ROTATION_H_
