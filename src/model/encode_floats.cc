#include "paroquant/model/encode_floats.h"

#include <algorithm>
#include <cassert>
#include <cstdint>

#include "paroquant/base/half.h"

namespace paroquant::model {

std::vector<std::byte> EncodeFloats(std::span<const float> values, io::DType dtype) {
  std::vector<uint16_t> rounded(dtype == io::DType::kF32 ? 0 : values.size());
  auto bytes = std::as_bytes(values);
  if (dtype != io::DType::kF32) {
    assert(dtype == io::DType::kF16 || dtype == io::DType::kBF16);
    std::ranges::transform(values, rounded.begin(),
                           dtype == io::DType::kF16 ? FloatToHalf : FloatToBFloat16);
    bytes = std::as_bytes(std::span(rounded));
  }
  return {bytes.begin(), bytes.end()};
}

}  // namespace paroquant::model
