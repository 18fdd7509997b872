#include "paroquant/quant/packing.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "paroquant/base/error.h"
#include "paroquant/base/parallel.h"

namespace paroquant::quant {
namespace {

constexpr int kWordBits = 32;
// Codes are read and written a strip of channels at a time: both layouts are then walked along
// their rows within a cache.
constexpr int64_t kStripChannels = 64;

// Where the code of an output column begins in a row of words.
struct BitPosition {
  int64_t word;
  int shift;
};

BitPosition PositionOf(int64_t column, int bits) {
  if (bits == 4) {
    constexpr std::array<int, 8> kNibbleOfColumn = {0, 4, 1, 5, 2, 6, 3, 7};
    return {column / 8, 4 * kNibbleOfColumn[static_cast<size_t>(column % 8)]};
  }
  const int64_t bit = column * bits;
  return {bit / kWordBits, static_cast<int>(bit % kWordBits)};
}

// values [N, columns] <-> words [columns, N * bits / 32].
struct BitMatrix {
  int64_t rows;     // N
  int64_t columns;  // K, or K/g
  int bits;

  int64_t WordsPerColumn() const { return rows * bits / kWordBits; }

  template <typename Visit>  // visit(index of a value, index of its word, shift in the word)
  void ForEach(const Visit& visit) const {
    const int64_t strips = (columns + kStripChannels - 1) / kStripChannels;
    ParallelFor(strips, [&](int64_t strip) {
      const int64_t end = std::min(columns, (strip + 1) * kStripChannels);
      for (int64_t row = 0; row < rows; ++row) {
        const auto [word, shift] = PositionOf(row, bits);
        for (int64_t column = strip * kStripChannels; column < end; ++column) {
          visit(static_cast<size_t>(row * columns + column),
                static_cast<size_t>(column * WordsPerColumn() + word), shift);
        }
      }
    });
  }
};

std::vector<uint32_t> PackBits(const std::vector<uint8_t>& values, const BitMatrix& shape) {
  std::vector<uint32_t> words(static_cast<size_t>(shape.columns * shape.WordsPerColumn()));
  shape.ForEach([&](size_t index, size_t word, int shift) {
    const uint32_t value = values[index];
    words[word] |= value << shift;
    if (shift + shape.bits > kWordBits) words[word + 1] |= value >> (kWordBits - shift);
  });
  return words;
}

std::vector<uint8_t> UnpackBits(const std::vector<uint32_t>& words, const BitMatrix& shape) {
  std::vector<uint8_t> values(static_cast<size_t>(shape.rows * shape.columns));
  const uint32_t mask = (1U << shape.bits) - 1;
  shape.ForEach([&](size_t index, size_t word, int shift) {
    uint32_t value = words[word] >> shift;
    if (shift + shape.bits > kWordBits) value |= words[word + 1] << (kWordBits - shift);
    values[index] = static_cast<uint8_t>(value & mask);
  });
  return values;
}

template <typename T>
std::vector<T> Transposed(const std::vector<T>& values, int64_t rows, int64_t columns) {
  std::vector<T> result(values.size());
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t column = 0; column < columns; ++column) {
      result[static_cast<size_t>(column * rows + row)] =
          values[static_cast<size_t>(row * columns + column)];
    }
  }
  return result;
}

[[noreturn]] void Refuse(const std::string& where, const std::string& expected,
                         const std::string& found) {
  throw Error(ErrorKind::kInput,
              {.where = where,
               .expected = expected,
               .found = found,
               .hint = "The checkpoint is damaged or was written by another tool; fetch or "
                       "quantize it again."});
}

void CheckSize(const std::string& where, const char* tensor, size_t found, int64_t expected) {
  if (static_cast<int64_t>(found) == expected) return;
  Refuse(where + "." + tensor, fmt::format("{} entries", expected), fmt::to_string(found));
}

// The sizes that Unpack relies on before there is a QuantizedLinear to judge.
void CheckShapes(const PackedLinear& packed, const std::string& where) {
  constexpr int64_t kMaxFeatures = int64_t{1} << 30;  // keeps the products below from overflowing
  const int64_t n = packed.out_features;
  const int64_t k = packed.in_features;
  const int g = packed.group_size;
  if (packed.bits != 2 && packed.bits != 3 && packed.bits != 4 && packed.bits != 8) {
    Refuse(where, "2, 3, 4 or 8 bits", fmt::to_string(packed.bits));
  }
  if (n < 1 || n > kMaxFeatures || n % PackingMultiple(packed.bits) != 0) {
    Refuse(where, fmt::format("a multiple of {} output features", PackingMultiple(packed.bits)),
           fmt::to_string(n));
  }
  if (g < 1 || k < 1 || k > kMaxFeatures || k % g != 0) {
    Refuse(where, fmt::format("a multiple of the group size {} as input features", g),
           fmt::to_string(k));
  }
  const int64_t words = n * packed.bits / kWordBits;
  CheckSize(where, "qweight", packed.qweight.size(), k * words);
  CheckSize(where, "qzeros", packed.qzeros.size(), k / g * words);
  CheckSize(where, "scales", packed.scales.size(), k / g * n);
}

}  // namespace

int PackingMultiple(int bits) { return kWordBits / std::gcd(bits, kWordBits); }

PackedLinear Pack(const QuantizedLinear& linear, const std::string& where) {
  const int64_t n = linear.out_features;
  const int64_t k = linear.in_features;
  const int64_t groups = k / linear.group_size;
  if (n % PackingMultiple(linear.bits) != 0) {
    throw Error(ErrorKind::kUnsupported,
                {.where = where,
                 .expected = fmt::format("a multiple of {} output features to pack {} bits",
                                         PackingMultiple(linear.bits), linear.bits),
                 .found = fmt::to_string(n),
                 .hint = "Leave this layer in 16 bit or choose another number of bits."});
  }
  return {.out_features = n,
          .in_features = k,
          .bits = linear.bits,
          .group_size = linear.group_size,
          .rounds = linear.rotation.rounds,
          .qweight = PackBits(linear.codes, {n, k, linear.bits}),
          .qzeros = PackBits(linear.zeros, {n, groups, linear.bits}),
          .scales = Transposed(linear.scales, n, groups),
          .channel_scales = linear.channel_scales,
          .theta = linear.rotation.theta,
          .pairs = linear.rotation.pairs,
          .order = linear.order};
}

QuantizedLinear Unpack(const PackedLinear& packed, const std::string& where) {
  CheckShapes(packed, where);
  const int64_t n = packed.out_features;
  const int64_t k = packed.in_features;
  const int64_t groups = k / packed.group_size;
  QuantizedLinear linear{.out_features = n,
                         .in_features = k,
                         .bits = packed.bits,
                         .group_size = packed.group_size,
                         .codes = UnpackBits(packed.qweight, {n, k, packed.bits}),
                         .zeros = UnpackBits(packed.qzeros, {n, groups, packed.bits}),
                         .scales = Transposed(packed.scales, groups, n),
                         .channel_scales = packed.channel_scales,
                         .rotation = {.channels = k,
                                      .group_size = packed.group_size,
                                      .rounds = packed.rounds,
                                      .pairs = packed.pairs,
                                      .theta = packed.theta},
                         .order = packed.order};
  const std::string problem = Problem(linear);
  if (!problem.empty()) Refuse(where, "a valid quantized layer", problem);
  return linear;
}

}  // namespace paroquant::quant
