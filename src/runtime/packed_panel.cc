#include "runtime/packed_panel.h"

#include <algorithm>
#include <array>

#include "kernels/kernels.h"
#include "linalg/tile.h"

namespace paroquant::runtime {
namespace {

using linalg::kPanelColumns;
using linalg::kTileColumns;

// A row of a panel, zero where the panel is narrower.
struct alignas(64) PanelRow : std::array<float, kPanelColumns> {
  PanelRow() : std::array<float, kPanelColumns>{} {}
};

// Codes one after the other from the lowest bit on, across words where they do not fit.
void DecodeSequence(const uint32_t* words, int bits, int64_t count, float* codes) {
  const uint32_t mask = (1U << bits) - 1;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t bit = i * bits;
    const int64_t shift = bit % 32;
    uint64_t window = words[bit / 32];
    if (shift + bits > 32) window |= uint64_t{words[bit / 32 + 1]} << 32;
    codes[i] = static_cast<float>((window >> shift) & mask);
  }
}

// The first `count` codes of a row of packed codes.
void DecodeCodes(const uint32_t* words, int bits, int64_t count, float* codes) {
  if (bits == 4) {
    kernels::ActiveKernels().decode_nibbles(words, count, nullptr, nullptr, codes);
  } else {
    DecodeSequence(words, bits, count, codes);
  }
}

// Row k of a panel to its place in each strip.
void ScatterRow(const PanelRow& row, const linalg::Panel& panel, int64_t k, float* strips) {
  for (int64_t column = 0; column < panel.columns; column += kTileColumns) {
    std::copy_n(row.data() + column, kTileColumns,
                strips + column * panel.depth + k * kTileColumns);
  }
}

}  // namespace

void DecodePanel(const quant::PackedView& packed, const linalg::Panel& panel, float* strips) {
  static_assert(kPanelColumns % 32 == 0, "every width of codes starts a panel at a whole word");
  const kernels::Kernels& run = kernels::ActiveKernels();
  const int64_t words_per_row = packed.out_features * packed.bits / 32;
  const int64_t first_word = panel.column * packed.bits / 32;
  PanelRow zeros;
  PanelRow scales;
  PanelRow row;
  for (int64_t k = 0; k < panel.depth; ++k) {
    const int64_t channel = panel.k + k;
    if (k == 0 || channel % packed.group_size == 0) {
      const int64_t group = channel / packed.group_size;
      DecodeCodes(packed.qzeros.data() + group * words_per_row + first_word, packed.bits,
                  panel.columns, zeros.data());
      run.decode_half(packed.scales.data() + group * packed.out_features + panel.column,
                      panel.columns, scales.data());
    }
    const uint32_t* words = packed.qweight.data() + channel * words_per_row + first_word;
    if (packed.bits == 4) {
      run.decode_nibbles(words, panel.columns, zeros.data(), scales.data(), row.data());
    } else {
      DecodeCodes(words, packed.bits, panel.columns, row.data());
      for (size_t n = 0; n < row.size(); ++n) row[n] = (row[n] - zeros[n]) * scales[n];
    }
    ScatterRow(row, panel, k, strips);
  }
}

}  // namespace paroquant::runtime
