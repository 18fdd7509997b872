// The widest vector of floats of the instruction set that is compiled for.
#ifndef PAROQUANT_BASE_SIMD_H_
#define PAROQUANT_BASE_SIMD_H_

#include <cstdint>

namespace paroquant {

#if defined(__AVX512F__)
inline constexpr int kSimdFloats = 16;
inline constexpr int kSimdRegisters = 32;
#elif defined(__AVX__)
inline constexpr int kSimdFloats = 8;
inline constexpr int kSimdRegisters = 16;
#else
inline constexpr int kSimdFloats = 4;
inline constexpr int kSimdRegisters = 16;
#endif

using SimdFloat = float __attribute__((vector_size(kSimdFloats * sizeof(float))));
// The same in memory that is aligned as floats are.
using UnalignedSimdFloat = float
    __attribute__((vector_size(kSimdFloats * sizeof(float)), aligned(alignof(float)), may_alias));

using SimdWord = uint32_t __attribute__((vector_size(kSimdFloats * sizeof(uint32_t))));
using UnalignedSimdWord = uint32_t __attribute__((vector_size(kSimdFloats * sizeof(uint32_t)),
                                                  aligned(alignof(uint32_t)), may_alias));

inline SimdFloat LoadFloats(const float* from) {
  return *reinterpret_cast<const UnalignedSimdFloat*>(from);
}
inline void StoreFloats(SimdFloat value, float* to) {
  *reinterpret_cast<UnalignedSimdFloat*>(to) = value;
}
inline SimdWord LoadWords(const uint32_t* from) {
  return *reinterpret_cast<const UnalignedSimdWord*>(from);
}

// The lowest four bits of each word as a number.
inline SimdFloat LowNibbles(SimdWord words) {
#if defined(__AVX512F__) && !defined(__clang__)
  // One permutation of a table; it looks at no other bits.
  constexpr SimdFloat kNumbers = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return __builtin_shuffle(kNumbers, words);
#else
  using SimdInt = int32_t __attribute__((vector_size(kSimdFloats * sizeof(int32_t))));
  return __builtin_convertvector(reinterpret_cast<SimdInt>(words & 15), SimdFloat);
#endif
}

}  // namespace paroquant

#endif  // PAROQUANT_BASE_SIMD_H_
