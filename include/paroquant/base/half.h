// 16-bit floats as they are stored: IEEE binary16 ("half") and bfloat16, held in a uint16_t.
#ifndef PAROQUANT_BASE_HALF_H_
#define PAROQUANT_BASE_HALF_H_

#include <cstdint>

namespace paroquant {

float HalfToFloat(uint16_t bits);
// Rounds to nearest, ties to even; overflows to infinity.
uint16_t FloatToHalf(float value);
// The value after a round trip through a half: what a checkpoint would hold.
inline float SnapToHalf(float value) { return HalfToFloat(FloatToHalf(value)); }

inline constexpr float kMaxHalf = 65504.0F;
inline constexpr float kMinNormalHalf = 0x1.0p-14F;

float BFloat16ToFloat(uint16_t bits);
uint16_t FloatToBFloat16(float value);

}  // namespace paroquant

#endif  // PAROQUANT_BASE_HALF_H_
