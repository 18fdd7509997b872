// What a report says of a layer beside its errors.
#ifndef PAROQUANT_METHOD_LAYER_FACTS_H_
#define PAROQUANT_METHOD_LAYER_FACTS_H_

#include <string>
#include <vector>

#include "paroquant/base/matrix.h"
#include "paroquant/method/input_statistics.h"
#include "paroquant/quant/quantized_linear.h"

namespace paroquant::method {

// The mean over rows and groups of (max - min) / root mean square, what a grid has to span for the
// weights [N, K] that it holds; groups of zeros count for nothing.
double MeanGroupRange(const ConstMatrixRef& weight, int group_size);

struct GroupRanges {
  double before = 0;  // of the weight as it is
  double after = 0;   // scaled and rotated as it was rounded
};

// `weight` [N, K] is what `linear` imitates.
GroupRanges MeasureRanges(const ConstMatrixRef& weight, const quant::QuantizedLinear& linear);

// A line for each thing about the layer that leaves methods less to work with than they expect:
// inputs that are always 0, fewer tokens than inputs, groups without a change of sign or without
// any change, single weights that dwarf their group. Empty for usual layers. `statistics` may be
// null if nothing is known of the inputs.
std::vector<std::string> UnusualFacts(const ConstMatrixRef& weight, int group_size,
                                      const InputStatistics* statistics);

}  // namespace paroquant::method

#endif  // PAROQUANT_METHOD_LAYER_FACTS_H_
