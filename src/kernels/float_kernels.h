// Stored floats to float32, dot products with them, and rotations. Internal to kernels.cc.
#ifndef PAROQUANT_KERNELS_FLOAT_KERNELS_H_
#define PAROQUANT_KERNELS_FLOAT_KERNELS_H_

#include "kernels/kernels.h"
#include "kernels/simd.h"

namespace paroquant::kernels {
namespace {

// How a stored number becomes a float: kSimdFloats of them at `source`.
struct Float32 {
  static constexpr int64_t kBytes = 4;
  static SimdFloat Decode(const void* source) { return Load<SimdFloat>(source); }
};
struct Half {
  static constexpr int64_t kBytes = 2;
  static SimdFloat Decode(const void* source) { return FromHalf(Load<SimdShort>(source)); }
};
struct BFloat16 {
  static constexpr int64_t kBytes = 2;
  static SimdFloat Decode(const void* source) { return FromBFloat16(Load<SimdShort>(source)); }
};

// The last numbers, fewer than a vector; zeros behind them.
template <typename Stored>
SimdFloat DecodeLast(const char* source, int64_t count) {
  char padded[kSimdFloats * Stored::kBytes] = {};
  for (int64_t i = 0; i < count * Stored::kBytes; ++i) padded[i] = source[i];
  return Stored::Decode(padded);
}

template <typename Stored>
void Decode(const void* source, int64_t count, float* target) {
  const char* bytes = static_cast<const char*>(source);
  int64_t i = 0;
  for (; i + kSimdFloats <= count; i += kSimdFloats) {
    Store(Stored::Decode(bytes + i * Stored::kBytes), target + i);
  }
  if (i == count) return;
  const SimdFloat last = DecodeLast<Stored>(bytes + i * Stored::kBytes, count - i);
  for (int64_t j = 0; i + j < count; ++j) target[i + j] = last[j];
}

template <typename Stored>
float Dot(const void* w, const float* x, int64_t count) {
  constexpr int kLanes = 32;  // for all instruction sets alike
  constexpr int kVectors = kLanes / kSimdFloats;
  constexpr int64_t kAhead = 2048;  // bytes: what comes in while memory answers
  const char* bytes = static_cast<const char*>(w);
  SimdFloat sums[kVectors] = {};
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    // Rows are too short for the machine to see that they are read one after the other.
    for (int64_t line = 0; line < kLanes * Stored::kBytes; line += 64) {
      __builtin_prefetch(bytes + i * Stored::kBytes + kAhead + line);
    }
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) {
      const int64_t at = i + int64_t{v} * kSimdFloats;
      sums[v] += Stored::Decode(bytes + at * Stored::kBytes) * LoadFloats(x + at);
    }
  }
  for (int v = 0; i < count; i += kSimdFloats, ++v) {
    const int64_t rest = count - i < kSimdFloats ? count - i : kSimdFloats;
    const SimdFloat left = DecodeLast<Stored>(bytes + i * Stored::kBytes, rest);
    sums[v] += left * DecodeLast<Float32>(reinterpret_cast<const char*>(x + i), rest);
  }
  float lanes[kLanes];
  __builtin_memcpy(lanes, sums, sizeof(lanes));
  for (int width = kLanes / 2; width > 0; width /= 2) {
    for (int lane = 0; lane < width; ++lane) lanes[lane] += lanes[lane + width];
  }
  return lanes[0];
}

inline void DecodeHalf(const void* source, int64_t count, float* target) {
  Decode<Half>(source, count, target);
}
inline void DecodeBFloat16(const void* source, int64_t count, float* target) {
  Decode<BFloat16>(source, count, target);
}
inline float DotFloat(const void* w, const float* x, int64_t count) {
  return Dot<Float32>(w, x, count);
}
inline float DotHalf(const void* w, const float* x, int64_t count) {
  return Dot<Half>(w, x, count);
}
inline float DotBFloat16(const void* w, const float* x, int64_t count) {
  return Dot<BFloat16>(w, x, count);
}

inline void RotateRound(const int16_t* first, const int16_t* second, const float* cosine,
                        const float* sine, float sign, int64_t pairs, float* tile) {
  for (int64_t pair = 0; pair < pairs; ++pair) {
    const float c = cosine[pair];
    const float s = sign * sine[pair];
    float* const x = tile + first[pair] * kRotationLanes;
    float* const y = tile + second[pair] * kRotationLanes;
#pragma GCC unroll 4
    for (int64_t lane = 0; lane < kRotationLanes; lane += kSimdFloats) {
      const SimdFloat a = LoadFloats(x + lane);
      const SimdFloat b = LoadFloats(y + lane);
      Store(c * a + s * b, x + lane);
      Store(c * b - s * a, y + lane);
    }
  }
}

}  // namespace
}  // namespace paroquant::kernels

#endif  // PAROQUANT_KERNELS_FLOAT_KERNELS_H_
