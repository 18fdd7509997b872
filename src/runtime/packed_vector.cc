#include "runtime/packed_vector.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <numeric>

#include "kernels/kernels.h"
#include "linalg/tile.h"
#include "paroquant/base/parallel.h"

namespace paroquant::runtime {
namespace {

using kernels::kNibbles;

// Wanted for a layer, whatever the number of threads: of a small one fewer, for threads get a task
// in the time of some thousand weights, and every task over some columns rotates its inputs again.
constexpr int64_t kMostTasks = 16;
constexpr int64_t kWeightsPerTask = 1 << 16;
// Tasks start at multiples of so many output features.
constexpr int64_t kColumnUnit = 128;
// Output features whose sums are kept at a time.
constexpr int64_t kBlockColumns = 8192;
constexpr int64_t kBlockWords = kBlockColumns / kNibbles;
// Rows of codes that are added before sums go back to memory.
constexpr int64_t kRowsAtOnce = 8;

constexpr int64_t kMostGroupSize = 128;

using Block = std::array<float, kBlockColumns>;

// What a thread works in.
struct Buffers {
  Block sums;    // of column j of word w at [j * kBlockWords + w]
  Block wide;    // the same in the order of the columns
  Block scales;  // of a group
  Block zeros;   // times the scales
  std::array<float, kMostGroupSize> input;
};

void ReadGrid(const quant::PackedView& packed, int64_t group, int64_t column, int64_t columns,
              Buffers& buffers) {
  const kernels::Kernels& run = kernels::ActiveKernels();
  run.decode_half(packed.scales.data() + group * packed.out_features + column, columns,
                  buffers.scales.data());
  run.decode_nibbles(packed.qzeros.data() + (group * packed.out_features + column) / kNibbles,
                     columns, nullptr, buffers.scales.data(), buffers.zeros.data());
}

// output[columns] += the group's weights times its inputs in `buffers`: scale * (sum of x code -
// zero * sum of x).
void AddGroup(const quant::PackedView& packed, int64_t group, int64_t column, int64_t columns,
              Buffers& buffers, float* output) {
  const kernels::Kernels& run = kernels::ActiveKernels();
  const int64_t stride = packed.out_features / kNibbles;
  const int64_t words = columns / kNibbles;
  for (int64_t j = 0; j < kNibbles; ++j) std::fill_n(&buffers.sums[j * kBlockWords], words, 0.0F);
  for (int64_t k = 0; k < packed.group_size; k += kRowsAtOnce) {
    const int64_t row = group * packed.group_size + k;
    run.add_nibble_products(packed.qweight.data() + row * stride + column / kNibbles, stride,
                            kRowsAtOnce, words, buffers.input.data() + k, buffers.sums.data(),
                            kBlockWords);
  }
  run.interleave_rows(buffers.sums.data(), kBlockWords, words, kNibbles, buffers.wide.data());
  ReadGrid(packed, group, column, columns, buffers);
  const float* input = buffers.input.data();
  const float input_sum = std::accumulate(input, input + packed.group_size, 0.0F);
  const auto head = [columns](Block& block) {
    return Eigen::Map<Eigen::ArrayXf>(block.data(), columns);
  };
  Eigen::Map<Eigen::ArrayXf>(output, columns) +=
      head(buffers.scales) * head(buffers.wide) - head(buffers.zeros) * input_sum;
}

}  // namespace

bool TakesVector(const quant::PackedView& packed) {
  return packed.bits == 4 && packed.group_size <= kMostGroupSize;
}

void MultiplyVector(const quant::PackedView& packed, const quant::PreparedRotation<float>& rotation,
                    const float* channel_scales, const float* input, float* output) {
  assert(TakesVector(packed) && packed.group_size % kRowsAtOnce == 0);
  const int64_t groups = packed.in_features / packed.group_size;
  const int64_t tasks = std::clamp<int64_t>(
      packed.in_features * packed.out_features / kWeightsPerTask, 1, kMostTasks);
  const int64_t group_parts = std::min(groups, tasks);
  const int64_t units = linalg::CeilDivide(packed.out_features, kColumnUnit);
  // Few groups: their columns are shared out, too.
  const int64_t column_parts =
      std::min(units, std::max(linalg::CeilDivide(tasks, group_parts),
                               linalg::CeilDivide(packed.out_features, kBlockColumns)));
  Matrix sums = Matrix::Zero(group_parts, packed.out_features);
  ParallelFor(group_parts * column_parts, [&](int64_t task) {
    static thread_local Buffers buffers;
    const int64_t part = task / column_parts;
    const int64_t column = task % column_parts * units / column_parts * kColumnUnit;
    const int64_t end = std::min((task % column_parts + 1) * units / column_parts * kColumnUnit,
                                 packed.out_features);
    for (int64_t group = part * groups / group_parts; group < (part + 1) * groups / group_parts;
         ++group) {
      rotation.RotateGroup(group, input, channel_scales, buffers.input.data());
      AddGroup(packed, group, column, end - column, buffers, &sums(part, column));
    }
  });
  Eigen::Map<Vector>(output, packed.out_features) = sums.colwise().sum();
}

}  // namespace paroquant::runtime
