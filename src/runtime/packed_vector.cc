#include "runtime/packed_vector.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <numeric>

#include "kernels/kernels.h"
#include "paroquant/base/parallel.h"
#include "runtime/packed_panel.h"

namespace paroquant::runtime {
namespace {

using kernels::kNibbles;

// Output features of a task.
constexpr int64_t kTaskColumns = 512;
constexpr int64_t kTaskWords = kTaskColumns / kNibbles;
// Rows of codes that are read side by side, each from front to back.
constexpr int64_t kRowsAtOnce = 8;

// Sums of nibble i of word w lie at [i * kTaskWords + w].
using NibbleSums = std::array<float, kTaskColumns>;

// What is left of a group once its codes are summed: scales and zero points,
// output += scale * (sum of x code - zero * sum of x).
void AddGroup(const quant::PackedView& packed, int64_t group, int64_t column, int64_t columns,
              float input_sum, const NibbleSums& sums, float* output) {
  const int64_t words_per_row = packed.out_features / kNibbles;
  std::array<float, kTaskColumns> zeros;
  std::array<float, kTaskColumns> scales;
  DecodeCodes(packed.qzeros.data() + group * words_per_row + column / kNibbles, 4, columns,
              zeros.data());
  kernels::ActiveKernels().decode_half(packed.scales.data() + group * packed.out_features + column,
                                       columns, scales.data());
  for (int64_t w = 0; w < columns / kNibbles; ++w) {
    for (int64_t i = 0; i < kNibbles; ++i) {
      const auto n = static_cast<size_t>(w * kNibbles + kNibbleColumns[static_cast<size_t>(i)]);
      const float sum = sums[static_cast<size_t>(i * kTaskWords + w)];
      output[n] += scales[n] * (sum - zeros[n] * input_sum);
    }
  }
}

void MultiplyColumns(const quant::PackedView& packed, int64_t column, int64_t columns,
                     const float* input, float* output) {
  assert(packed.group_size % kRowsAtOnce == 0);
  const int64_t stride = packed.out_features / kNibbles;
  const int64_t words = columns / kNibbles;
  std::fill_n(output, columns, 0.0F);
  for (int64_t first = 0; first < packed.in_features; first += packed.group_size) {
    NibbleSums sums{};
    for (int64_t k = first; k < first + packed.group_size; k += kRowsAtOnce) {
      const uint32_t* codes = packed.qweight.data() + k * stride + column / kNibbles;
      kernels::ActiveKernels().add_nibble_products(codes, stride, kRowsAtOnce, words, input + k,
                                                   sums.data(), kTaskWords);
    }
    const float input_sum = std::accumulate(input + first, input + first + packed.group_size, 0.0F);
    AddGroup(packed, first / packed.group_size, column, columns, input_sum, sums, output);
  }
}

}  // namespace

void MultiplyVector(const quant::PackedView& packed, const float* input, float* output) {
  const int64_t tasks = (packed.out_features + kTaskColumns - 1) / kTaskColumns;
  ParallelFor(tasks, [&](int64_t task) {
    const int64_t column = task * kTaskColumns;
    MultiplyColumns(packed, column, std::min(kTaskColumns, packed.out_features - column), input,
                    output + column);
  });
}

}  // namespace paroquant::runtime
