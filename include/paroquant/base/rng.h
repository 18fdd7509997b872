// Random numbers that are the same on every machine: the engine and all that is derived from it
// are fixed here (the standard library leaves its distributions to the implementation).
#ifndef PAROQUANT_BASE_RNG_H_
#define PAROQUANT_BASE_RNG_H_

#include <cstdint>
#include <random>
#include <utility>
#include <vector>

namespace paroquant {

class Rng {
 public:
  explicit Rng(uint64_t seed) : engine_(seed) {}

  // Uniform in [0, 1), 53 random bits.
  double Uniform() { return static_cast<double>(engine_() >> 11) * 0x1.0p-53; }

  // Uniform in [0, bound), bound > 0. Rejection keeps it exact.
  uint64_t Below(uint64_t bound) {
    const uint64_t limit = -bound % bound;  // 2^64 mod bound
    while (true) {
      const uint64_t value = engine_();
      if (value >= limit) return value % bound;
    }
  }

  // Standard normal (Box-Muller, one of the pair).
  double Normal();

  // Fisher-Yates.
  template <typename T>
  void Shuffle(std::vector<T>& items) {
    for (size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[Below(i)]);
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace paroquant

#endif  // PAROQUANT_BASE_RNG_H_
