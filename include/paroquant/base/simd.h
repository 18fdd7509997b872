// The widest vector of floats of the instruction set that is compiled for.
#ifndef PAROQUANT_BASE_SIMD_H_
#define PAROQUANT_BASE_SIMD_H_

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

}  // namespace paroquant

#endif  // PAROQUANT_BASE_SIMD_H_
