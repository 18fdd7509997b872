// The widest vectors of the instruction set that is compiled for. Internal to kernels.cc.
#ifndef PAROQUANT_KERNELS_SIMD_H_
#define PAROQUANT_KERNELS_SIMD_H_

#include <stdint.h>

namespace paroquant::kernels {
namespace {

#if defined(__AVX512F__)
inline constexpr int kSimdFloats = 16;
#elif defined(__AVX2__)
inline constexpr int kSimdFloats = 8;
#else
inline constexpr int kSimdFloats = 4;
#endif

using SimdFloat = float __attribute__((vector_size(kSimdFloats * sizeof(float))));
using SimdDouble = double __attribute__((vector_size(kSimdFloats * sizeof(float))));
using SimdWord = uint32_t __attribute__((vector_size(kSimdFloats * sizeof(uint32_t))));
using SimdInt = int32_t __attribute__((vector_size(kSimdFloats * sizeof(int32_t))));
using SimdShort = uint16_t __attribute__((vector_size(kSimdFloats * sizeof(uint16_t))));
using SimdSignedShort = int16_t __attribute__((vector_size(kSimdFloats * sizeof(int16_t))));

// From any alignment.
template <typename Vector>
inline Vector Load(const void* from) {
  Vector value;
  __builtin_memcpy(&value, from, sizeof(Vector));
  return value;
}
inline SimdFloat LoadFloats(const float* from) { return Load<SimdFloat>(from); }
template <typename Vector>
inline void Store(Vector value, void* to) {
  __builtin_memcpy(to, &value, sizeof(value));
}

inline SimdFloat ToFloats(SimdWord small) {
  return __builtin_convertvector(reinterpret_cast<SimdInt>(small), SimdFloat);
}

inline SimdWord Widen(SimdShort bits) {
#if defined(__AVX512F__) && !defined(__clang__)
  // GCC 12 would do it in halves.
  return reinterpret_cast<SimdWord>(__builtin_ia32_pmovzxwd512_mask(
      reinterpret_cast<SimdSignedShort>(bits), SimdInt{}, static_cast<uint16_t>(-1)));
#else
  return __builtin_convertvector(bits, SimdWord);
#endif
}

// float16 or bfloat16 bits to float32.
inline SimdFloat FromBFloat16(SimdShort bits) {
  return reinterpret_cast<SimdFloat>(Widen(bits) << 16);
}
inline SimdFloat FromHalf(SimdShort bits) {
#if defined(__AVX512F__)
  constexpr int kCurrentRounding = 4;
  return __builtin_ia32_vcvtph2ps512_mask(reinterpret_cast<SimdSignedShort>(bits), SimdFloat{},
                                          static_cast<uint16_t>(-1), kCurrentRounding);
#elif defined(__AVX2__) && defined(__F16C__)
  return __builtin_ia32_vcvtph2ps256(reinterpret_cast<SimdSignedShort>(bits));
#else
  const SimdWord wide = Widen(bits);
  const SimdWord magnitude = wide & 0x7FFF;
  const SimdWord moved = magnitude << 13;
  // The exponent's bias moves from 15 to 127, or all the way for infinities and what is no number.
  const SimdWord special = reinterpret_cast<SimdWord>(magnitude >= 0x7C00) & 0x7F800000;
  const SimdWord normal = (moved + (112U << 23U)) | special;
  // Subnormals as fractions of 2^-14; arithmetic on subnormals of float32 would be slow.
  const SimdFloat small = reinterpret_cast<SimdFloat>(moved + (113U << 23U)) - 0x1p-14F;
  const SimdWord is_small = reinterpret_cast<SimdWord>(magnitude < 0x0400);
  return reinterpret_cast<SimdFloat>((reinterpret_cast<SimdWord>(small) & is_small) |
                                     (normal & ~is_small) | ((wide & 0x8000) << 16));
#endif
}

}  // namespace
}  // namespace paroquant::kernels

#endif  // PAROQUANT_KERNELS_SIMD_H_
