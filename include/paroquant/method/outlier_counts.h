// How many weights and channels of a layer stick out, before and after its rotation.
#ifndef PAROQUANT_METHOD_OUTLIER_COUNTS_H_
#define PAROQUANT_METHOD_OUTLIER_COUNTS_H_

#include <cstdint>
#include <vector>

#include "paroquant/base/matrix.h"
#include "paroquant/method/input_statistics.h"
#include "paroquant/quant/quantized_linear.h"

namespace paroquant::method {

// Of |w| / RMS of its group of a row: 24 bins of half an RMS each, [0, 12). In a group of g weights
// none has more than sqrt(g) times their RMS: 11.3 for 128.
std::vector<double> WeightBinEdges();
// Of the RMS of a channel / RMS of all: 24 bins of half an octave each, [2^-6, 2^6); the first and
// the last one take what lies outside too.
std::vector<double> ChannelBinEdges();

// How many weights of [N, K] fall into each bin; those of groups of zeros into the first one.
std::vector<int64_t> CountWeights(const ConstMatrixRef& weight, int group_size);
// How many channels fall into each bin, given their mean squares [K].
std::vector<int64_t> CountChannels(const VectorD& mean_squares);

struct OutlierCounts {
  std::vector<int64_t> weights_before;
  std::vector<int64_t> weights_after;
  // Empty if nothing is known of the inputs.
  std::vector<int64_t> inputs_before;
  std::vector<int64_t> inputs_after;
};

// `weight` [N, K] is what `linear` imitates, "after" its channel scales and its rotation, which the
// inputs get the inverse of. `inputs` may be null.
OutlierCounts CountOutliers(const ConstMatrixRef& weight, const quant::QuantizedLinear& linear,
                            const InputStatistics* inputs);

}  // namespace paroquant::method

#endif  // PAROQUANT_METHOD_OUTLIER_COUNTS_H_
