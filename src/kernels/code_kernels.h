// Packed 4-bit codes. Internal to kernels.cc.
#ifndef PAROQUANT_KERNELS_CODE_KERNELS_H_
#define PAROQUANT_KERNELS_CODE_KERNELS_H_

#include "kernels/kernels.h"
#include "kernels/simd.h"

namespace paroquant::kernels {
namespace {

using Eight = float __attribute__((vector_size(32)));
using EightWords = uint32_t __attribute__((vector_size(32)));
using EightInts = int32_t __attribute__((vector_size(32)));

// The column of its eight that nibble i of a word holds.
inline constexpr int kColumnOfNibble[kNibbles] = {0, 2, 4, 6, 1, 3, 5, 7};

inline void DecodeNibbles(const uint32_t* words, int64_t count, const float* zeros,
                          const float* scales, float* target) {
  // Where column j lies.
  constexpr EightWords kShifts = {0, 16, 4, 20, 8, 24, 12, 28};
  for (int64_t i = 0; i < count; i += kNibbles) {
    const EightWords word = EightWords{} + words[i / kNibbles];
    const auto codes = reinterpret_cast<EightInts>((word >> kShifts) & 15);
    Eight value = __builtin_convertvector(codes, Eight);
    if (zeros != nullptr) value -= Load<Eight>(zeros + i);
    if (scales != nullptr) value *= Load<Eight>(scales + i);
    __builtin_memcpy(target + i, &value, sizeof(value));
  }
}

// Nibble i of each word where it lies, as a number: times 16^i, which cuts nothing off. The last
// would be taken for a sign.
template <int i>
SimdFloat PlacedNibbles(SimdWord words) {
  if constexpr (i + 1 == kNibbles) return ToFloats(words >> (4 * i));
  return ToFloats(words & (15U << (4 * i)));
}

// What PlacedNibbles multiplies by.
inline constexpr float kPlaces[kNibbles] = {0x1p0F,  0x1p4F,  0x1p8F,  0x1p12F,
                                            0x1p16F, 0x1p20F, 0x1p24F, 0x1p0F};

// For a vector of words: the sums stay in registers.
inline void AddVectorProducts(const uint32_t* codes, int64_t stride, int64_t rows,
                              const float* input, float* sums, int64_t sums_stride) {
  SimdFloat sum[kNibbles];
#pragma GCC unroll 8
  for (int i = 0; i < kNibbles; ++i) {
    sum[i] = kPlaces[i] * LoadFloats(sums + kColumnOfNibble[i] * sums_stride);
  }
  for (int64_t row = 0; row < rows; ++row) {
    // The same place of as many rows on: rows are too short for the machine to see that all of
    // them are read one after the other. Past the last row this does nothing.
    __builtin_prefetch(codes + (row + rows) * stride);
    const SimdWord word = Load<SimdWord>(codes + row * stride);
    sum[0] += input[row] * PlacedNibbles<0>(word);
    sum[1] += input[row] * PlacedNibbles<1>(word);
    sum[2] += input[row] * PlacedNibbles<2>(word);
    sum[3] += input[row] * PlacedNibbles<3>(word);
    sum[4] += input[row] * PlacedNibbles<4>(word);
    sum[5] += input[row] * PlacedNibbles<5>(word);
    sum[6] += input[row] * PlacedNibbles<6>(word);
    sum[7] += input[row] * PlacedNibbles<7>(word);
  }
#pragma GCC unroll 8
  for (int i = 0; i < kNibbles; ++i) {
    Store(sum[i] * (1 / kPlaces[i]), sums + kColumnOfNibble[i] * sums_stride);
  }
}

inline void AddNibbleProducts(const uint32_t* codes, int64_t stride, int64_t rows, int64_t words,
                              const float* input, float* sums, int64_t sums_stride) {
  int64_t w = 0;
  for (; w + kSimdFloats <= words; w += kSimdFloats) {
    AddVectorProducts(codes + w, stride, rows, input, sums + w, sums_stride);
  }
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t last = w; last < words; ++last) {
      for (int64_t i = 0; i < kNibbles; ++i) {
        const auto code = static_cast<float>((codes[row * stride + last] >> (4 * i)) & 15);
        sums[kColumnOfNibble[i] * sums_stride + last] += input[row] * code;
      }
    }
  }
}

}  // namespace
}  // namespace paroquant::kernels

#endif  // PAROQUANT_KERNELS_CODE_KERNELS_H_
