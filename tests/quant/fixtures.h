// Random matrices, rotations and quantized layers.
#ifndef PAROQUANT_TESTS_QUANT_FIXTURES_H_
#define PAROQUANT_TESTS_QUANT_FIXTURES_H_

#include <cstdint>

#include "paroquant/base/matrix.h"
#include "paroquant/quant/quantized_linear.h"

namespace paroquant::quant::testing {

// Standard normal entries.
Matrix RandomMatrix(int64_t rows, int64_t columns, uint64_t seed);

// Random pairs and angles between -pi and pi.
Rotation RandomRotation(int64_t channels, int group_size, int rounds, uint64_t seed);

// Random codes, zeros, scales, channel scales near 1 and a random rotation of 8 rounds.
QuantizedLinear RandomQuantizedLinear(int64_t out_features, int64_t in_features, int bits,
                                      int group_size, uint64_t seed);

}  // namespace paroquant::quant::testing

#endif  // PAROQUANT_TESTS_QUANT_FIXTURES_H_
