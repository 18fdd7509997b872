#include "paroquant/base/half.h"

#include <bit>

#include "paroquant/base/matrix.h"

namespace paroquant {

float HalfToFloat(uint16_t bits) {
  return static_cast<float>(Eigen::numext::bit_cast<Eigen::half>(bits));
}

uint16_t FloatToHalf(float value) {
  return Eigen::numext::bit_cast<uint16_t>(static_cast<Eigen::half>(value));
}

float BFloat16ToFloat(uint16_t bits) { return std::bit_cast<float>(uint32_t{bits} << 16); }

uint16_t FloatToBFloat16(float value) {
  return Eigen::numext::bit_cast<uint16_t>(static_cast<Eigen::bfloat16>(value));
}

}  // namespace paroquant
