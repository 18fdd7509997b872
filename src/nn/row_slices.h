// Elementwise work on the rows of a matrix, spread over threads.
#ifndef PAROQUANT_NN_ROW_SLICES_H_
#define PAROQUANT_NN_ROW_SLICES_H_

#include <algorithm>
#include <cstdint>

#include "paroquant/base/parallel.h"

namespace paroquant::nn {

// Calls body(first, count) for slices of `rows` rows.
template <typename Body>
void ForEachRowSlice(int64_t rows, const Body& body) {
  constexpr int64_t kRowsPerTask = 64;
  ParallelFor((rows + kRowsPerTask - 1) / kRowsPerTask, [&](int64_t task) {
    const int64_t first = task * kRowsPerTask;
    body(first, std::min(kRowsPerTask, rows - first));
  });
}

}  // namespace paroquant::nn

#endif  // PAROQUANT_NN_ROW_SLICES_H_
