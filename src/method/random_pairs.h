// Pairs of channels as the paper draws them (arXiv 2511.10645, section 3.2).
#ifndef PAROQUANT_METHOD_RANDOM_PAIRS_H_
#define PAROQUANT_METHOD_RANDOM_PAIRS_H_

#include <cstdint>

#include "paroquant/quant/quantized_linear.h"

namespace paroquant::method {

// A rotation by 0 everywhere. In each group all g (g - 1) / 2 pairs are shuffled; a round takes
// from the first on those whose channels are both free, and no pair is taken in two rounds. What is
// left over at the end of a round, because its pairs are used up, is paired in order.
quant::Rotation RandomPairs(int64_t channels, int group_size, int rounds, uint64_t seed);

}  // namespace paroquant::method

#endif  // PAROQUANT_METHOD_RANDOM_PAIRS_H_
