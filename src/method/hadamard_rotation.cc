#include "method/hadamard_rotation.h"

#include <bit>
#include <cassert>
#include <numbers>

#include "paroquant/base/half.h"

namespace paroquant::method {

quant::Rotation HadamardRotation(int64_t channels, int group_size, int rounds) {
  assert(std::has_single_bit(static_cast<unsigned>(group_size)));
  quant::Rotation rotation{
      .channels = channels, .group_size = group_size, .rounds = rounds, .pairs = {}, .theta = {}};
  const uint16_t turn = FloatToHalf(std::numbers::pi_v<float> / 4);
  for (int round = 0; round < rounds; ++round) {
    const bool turns = (1 << round) < group_size;
    const int stride = turns ? 1 << round : 1;
    for (int64_t base = 0; base < channels; base += group_size) {
      for (int i = 0; i < group_size; ++i) {
        if ((i & stride) != 0) continue;
        rotation.pairs.push_back(static_cast<int16_t>(i));
        rotation.pairs.push_back(static_cast<int16_t>(i + stride));
        rotation.theta.push_back(turns ? turn : FloatToHalf(0));
      }
    }
  }
  return rotation;
}

}  // namespace paroquant::method
