#include "runtime/packed_vector.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <numeric>

#include "base/simd.h"
#include "paroquant/base/half.h"
#include "paroquant/base/parallel.h"
#include "runtime/packed_panel.h"

namespace paroquant::runtime {
namespace {

constexpr int64_t kNibbles = 8;  // of a word
// Output features of a task.
constexpr int64_t kTaskColumns = 512;
constexpr int64_t kTaskWords = kTaskColumns / kNibbles;
// Rows of codes that are read side by side, each from front to back.
constexpr int64_t kRowsAtOnce = 8;

// Sums of nibble i of word w lie at [i * kTaskWords + w].
using NibbleSums = std::array<float, kTaskColumns>;

// sums += the codes of `rows` rows, `stride` words apart, each times its input.
void AddCodes(const uint32_t* codes, int64_t stride, int64_t rows, int64_t words,
              const float* input, NibbleSums& sums) {
  for (int64_t w = 0; w < words; w += kSimdFloats) {
    SimdFloat sum[kNibbles];
    for (int64_t i = 0; i < kNibbles; ++i) sum[i] = LoadFloats(&sums[i * kTaskWords + w]);
    for (int64_t row = 0; row < rows; ++row) {
      const SimdWord word = LoadWords(codes + row * stride + w);
#pragma GCC unroll 8
      for (int i = 0; i < kNibbles; ++i) sum[i] += input[row] * LowNibbles(word >> (4 * i));
    }
    for (int64_t i = 0; i < kNibbles; ++i) StoreFloats(sum[i], &sums[i * kTaskWords + w]);
  }
}

// The same for words that fill no vector.
void AddLastCodes(const uint32_t* codes, int64_t stride, int64_t rows, int64_t begin, int64_t end,
                  const float* input, NibbleSums& sums) {
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t w = begin; w < end; ++w) {
      for (int64_t i = 0; i < kNibbles; ++i) {
        const auto code = static_cast<float>((codes[row * stride + w] >> (4 * i)) & 0xF);
        sums[static_cast<size_t>(i * kTaskWords + w)] += input[row] * code;
      }
    }
  }
}

// What is left of a group once its codes are summed: scales and zero points,
// output += scale * (sum of x code - zero * sum of x).
void AddGroup(const quant::PackedView& packed, int64_t group, int64_t column, int64_t columns,
              float input_sum, const NibbleSums& sums, float* output) {
  const int64_t words_per_row = packed.out_features / kNibbles;
  std::array<float, kTaskColumns> zeros;
  std::array<float, kTaskColumns> scales;
  DecodeCodes(packed.qzeros.data() + group * words_per_row + column / kNibbles, 4, columns,
              zeros.data());
  const uint16_t* stored = packed.scales.data() + group * packed.out_features + column;
  HalfToFloat(reinterpret_cast<const std::byte*>(stored), scales.data(),
              static_cast<size_t>(columns));
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
  const int64_t vector_words = words / kSimdFloats * kSimdFloats;
  std::fill_n(output, columns, 0.0F);
  for (int64_t first = 0; first < packed.in_features; first += packed.group_size) {
    NibbleSums sums{};
    for (int64_t k = first; k < first + packed.group_size; k += kRowsAtOnce) {
      const uint32_t* codes = packed.qweight.data() + k * stride + column / kNibbles;
      AddCodes(codes, stride, kRowsAtOnce, vector_words, input + k, sums);
      AddLastCodes(codes, stride, kRowsAtOnce, vector_words, words, input + k, sums);
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
