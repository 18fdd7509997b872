#include "runtime/packed_panel.h"

#include <array>

#include "paroquant/base/half.h"
#include "paroquant/nn/panel_product.h"

namespace paroquant::runtime {
namespace {

using nn::kPanelWidth;
using PanelRow = std::array<float, kPanelWidth>;

// Where column i of a word's eight lies: AWQ's order, see quant::PackedLinear.
constexpr std::array<int, 8> kAwqShifts = {0, 16, 4, 20, 8, 24, 12, 28};

void DecodeAwqRow(const uint32_t* words, int64_t count, float* codes) {
  for (int64_t w = 0; w < count / 8; ++w) {
    for (size_t i = 0; i < 8; ++i) {
      codes[8 * w + static_cast<int64_t>(i)] =
          static_cast<float>(static_cast<int32_t>((words[w] >> kAwqShifts[i]) & 0xF));
    }
  }
}

// Codes one after the other from the lowest bit on, across words where they do not fit.
void DecodeSequentialRow(const uint32_t* words, int bits, int64_t count, float* codes) {
  const uint32_t mask = (1U << bits) - 1;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t bit = i * bits;
    const int64_t shift = bit % 32;
    uint64_t window = words[bit / 32];
    if (shift + bits > 32) window |= uint64_t{words[bit / 32 + 1]} << 32;
    codes[i] = static_cast<float>((window >> shift) & mask);
  }
}

void DecodeRow(const uint32_t* words, int bits, int64_t count, float* codes) {
  if (bits == 4) {
    DecodeAwqRow(words, count, codes);
  } else {
    DecodeSequentialRow(words, bits, count, codes);
  }
}

}  // namespace

void DecodePanel(const quant::PackedView& packed, int64_t first, int64_t count, float* panel) {
  const int64_t words_per_row = packed.out_features * packed.bits / 32;
  const int64_t first_word = first * packed.bits / 32;
  PanelRow zeros;
  PanelRow scales;
  for (int64_t k = 0; k < packed.in_features; ++k) {
    if (k % packed.group_size == 0) {
      const int64_t group = k / packed.group_size;
      DecodeRow(packed.qzeros.data() + group * words_per_row + first_word, packed.bits, count,
                zeros.data());
      const uint16_t* stored = packed.scales.data() + group * packed.out_features + first;
      HalfToFloat(reinterpret_cast<const std::byte*>(stored), scales.data(),
                  static_cast<size_t>(count));
    }
    float* row = panel + k * count;
    DecodeRow(packed.qweight.data() + k * words_per_row + first_word, packed.bits, count, row);
    for (int64_t n = 0; n < count; ++n) {
      const auto i = static_cast<size_t>(n);
      row[n] = (row[n] - zeros[i]) * scales[i];
    }
  }
}

}  // namespace paroquant::runtime
