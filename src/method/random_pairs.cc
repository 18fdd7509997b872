#include "method/random_pairs.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "paroquant/base/rng.h"

namespace paroquant::method {
namespace {

using ChannelPair = std::pair<int, int>;

std::vector<ChannelPair> ShuffledPairs(int size, Rng& rng) {
  std::vector<ChannelPair> pairs;
  for (int i = 0; i < size; ++i) {
    for (int j = i + 1; j < size; ++j) pairs.emplace_back(i, j);
  }
  rng.Shuffle(pairs);
  return pairs;
}

// Moves a matching of all `size` channels out of `pairs`.
std::vector<ChannelPair> TakeMatching(std::vector<ChannelPair>& pairs, int size) {
  std::vector<ChannelPair> matching;
  std::vector<bool> taken(static_cast<size_t>(size));
  const auto take = [&](const ChannelPair& pair) {
    if (taken[static_cast<size_t>(pair.first)] || taken[static_cast<size_t>(pair.second)]) {
      return false;
    }
    taken[static_cast<size_t>(pair.first)] = taken[static_cast<size_t>(pair.second)] = true;
    matching.push_back(pair);
    return true;
  };
  std::vector<ChannelPair> left;
  for (const ChannelPair& pair : pairs) {
    if (!take(pair)) left.push_back(pair);
  }
  pairs = std::move(left);
  int waiting = -1;
  for (int channel = 0; channel < size; ++channel) {
    if (taken[static_cast<size_t>(channel)]) continue;
    if (waiting >= 0)
      matching.emplace_back(std::exchange(waiting, -1), channel);
    else
      waiting = channel;
  }
  return matching;
}

}  // namespace

quant::Rotation RandomPairs(int64_t channels, int group_size, int rounds, uint64_t seed) {
  quant::Rotation rotation{
      .channels = channels,
      .group_size = group_size,
      .rounds = rounds,
      .pairs = std::vector<int16_t>(static_cast<size_t>(rounds * channels)),
      .theta = std::vector<uint16_t>(static_cast<size_t>(rounds * channels / 2))};
  Rng rng(seed);
  for (int64_t base = 0; base < channels; base += group_size) {
    std::vector<ChannelPair> pairs = ShuffledPairs(group_size, rng);
    for (int64_t round = 0; round < rounds; ++round) {
      auto target = rotation.pairs.begin() + round * channels + base;
      for (const ChannelPair& pair : TakeMatching(pairs, group_size)) {
        *target++ = static_cast<int16_t>(pair.first);
        *target++ = static_cast<int16_t>(pair.second);
      }
    }
  }
  return rotation;
}

}  // namespace paroquant::method
