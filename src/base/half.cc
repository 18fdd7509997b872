#include "paroquant/base/half.h"

#include <array>
#include <bit>
#include <cstring>

#include "paroquant/base/matrix.h"

namespace paroquant {
namespace {

// Blocks keep the aligned copy in the first-level cache; the copy is what makes any alignment of
// the source legal.
template <typename Stored>
void Convert(const std::byte* source, float* target, size_t count) {
  constexpr size_t kBlock = 512;
  std::array<Stored, kBlock> aligned;
  for (size_t start = 0; start < count; start += kBlock) {
    const size_t n = std::min(kBlock, count - start);
    std::memcpy(static_cast<void*>(aligned.data()), source + 2 * start, 2 * n);
    const auto size = static_cast<Eigen::Index>(n);
    Eigen::Map<Eigen::ArrayXf>(target + start, size) =
        Eigen::Map<const Eigen::Array<Stored, Eigen::Dynamic, 1>>(aligned.data(), size)
            .template cast<float>();
  }
}

}  // namespace

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

void HalfToFloat(const std::byte* source, float* target, size_t count) {
  Convert<Eigen::half>(source, target, count);
}

void BFloat16ToFloat(const std::byte* source, float* target, size_t count) {
  Convert<Eigen::bfloat16>(source, target, count);
}

}  // namespace paroquant
