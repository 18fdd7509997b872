// A hash table from pairs of ids to numbers, built once and then read for every pair of symbols of
// every new word: open addressing in one array makes that about one cache miss.
#ifndef PAROQUANT_TEXT_PAIR_TABLE_H_
#define PAROQUANT_TEXT_PAIR_TABLE_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace paroquant::text {

class PairTable {
 public:
  static constexpr int32_t kAbsent = -1;

  // An empty table for at most `pairs` pairs: at least half of its slots stay free.
  explicit PairTable(size_t pairs)
      : slots_(std::bit_ceil(2 * pairs + 2)), shift_(64 - std::bit_width(slots_.size() - 1)) {}

  // Sets the value, >= 0, of a pair of ids >= 0; replaces the one it had.
  void Set(int32_t left, int32_t right, int32_t value) {
    const uint64_t key = Key(left, right);
    slots_[SlotOf(key)] = {.key = key, .value = value};
  }

  int32_t Find(int32_t left, int32_t right) const { return slots_[SlotOf(Key(left, right))].value; }

 private:
  struct Slot {
    uint64_t key = 0;
    int32_t value = kAbsent;
  };

  static uint64_t Key(int32_t left, int32_t right) {
    return static_cast<uint64_t>(left) << 32 | static_cast<uint32_t>(right);
  }

  // The slot that holds the key, or the free one it would go to.
  size_t SlotOf(uint64_t key) const {
    constexpr uint64_t kGoldenRatio = 0x9E3779B97F4A7C15;  // 2^64 / phi: spreads neighbours
    size_t slot = (key * kGoldenRatio) >> shift_;
    while (slots_[slot].value != kAbsent && slots_[slot].key != key) {
      slot = (slot + 1) & (slots_.size() - 1);
    }
    return slot;
  }

  std::vector<Slot> slots_;  // their number is a power of two
  int shift_;
};

}  // namespace paroquant::text

#endif  // PAROQUANT_TEXT_PAIR_TABLE_H_
