#include "format/bit_rows.h"

#include "paroquant/base/parallel.h"

namespace paroquant::format {
namespace {

constexpr int64_t kWordBits = 32;

// Calls visit(index of a value, index of its word, shift in the word), row by row.
template <typename Visit>
void ForEachValue(int64_t rows, int64_t columns, int bits, const Visit& visit) {
  const int64_t words = columns * bits / kWordBits;
  ParallelFor(rows, [&](int64_t row) {
    for (int64_t column = 0; column < columns; ++column) {
      const int64_t bit = column * bits;
      visit(static_cast<size_t>(row * columns + column),
            static_cast<size_t>(row * words + bit / kWordBits), static_cast<int>(bit % kWordBits));
    }
  });
}

}  // namespace

std::vector<uint32_t> PackRows(const std::vector<uint8_t>& values, int64_t columns, int bits) {
  const int64_t rows = std::ssize(values) / columns;
  std::vector<uint32_t> words(static_cast<size_t>(rows * columns * bits / kWordBits));
  ForEachValue(rows, columns, bits, [&](size_t index, size_t word, int shift) {
    const uint32_t value = values[index];
    words[word] |= value << shift;
    if (shift + bits > kWordBits) words[word + 1] |= value >> (kWordBits - shift);
  });
  return words;
}

std::vector<uint8_t> UnpackRows(const std::vector<uint32_t>& words, int64_t columns, int bits) {
  const int64_t rows = std::ssize(words) * kWordBits / bits / columns;
  std::vector<uint8_t> values(static_cast<size_t>(rows * columns));
  const uint32_t mask = (1U << bits) - 1;
  ForEachValue(rows, columns, bits, [&](size_t index, size_t word, int shift) {
    uint32_t value = words[word] >> shift;
    if (shift + bits > kWordBits) value |= words[word + 1] << (kWordBits - shift);
    values[index] = static_cast<uint8_t>(value & mask);
  });
  return values;
}

}  // namespace paroquant::format
