// Layers with correlated inputs and outliers.
#ifndef PAROQUANT_TESTS_METHOD_FIXTURES_H_
#define PAROQUANT_TESTS_METHOD_FIXTURES_H_

#include <cstdint>

#include "paroquant/base/matrix.h"
#include "paroquant/method/input_statistics.h"

namespace paroquant::method::testing {

// Activations [tokens, channels]: a few shared directions, noise, and scales that differ from
// channel to channel by factors up to about ten.
Matrix CorrelatedInputs(int64_t tokens, int64_t channels, uint64_t seed);

// The second moment [n, n] of such inputs, damped a little: positive definite, with strong
// correlations.
MatrixD CorrelatedMoment(int64_t n, uint64_t seed);

// A weight [rows, channels] with columns of different norms and a few that stand out.
Matrix WeightWithOutliers(int64_t rows, int64_t channels, uint64_t seed);

InputStatistics StatisticsOf(const Matrix& inputs);

// |x E^T|^2 / |x W^T|^2 over tokens x, E the difference of the weights.
double RelativeError(const Matrix& inputs, const Matrix& weight, const Matrix& other);

}  // namespace paroquant::method::testing

#endif  // PAROQUANT_TESTS_METHOD_FIXTURES_H_
