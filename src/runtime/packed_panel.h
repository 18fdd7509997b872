// Decoding of packed codes, a panel of output features at a time.
#ifndef PAROQUANT_RUNTIME_PACKED_PANEL_H_
#define PAROQUANT_RUNTIME_PACKED_PANEL_H_

#include <array>
#include <cstdint>

#include "paroquant/linalg/product.h"
#include "paroquant/quant/packed_view.h"

namespace paroquant::runtime {

// The column of its eight that nibble i of a word of 4-bit codes holds, see quant::PackedLinear.
inline constexpr std::array<int, 8> kNibbleColumns = {0, 2, 4, 6, 1, 3, 5, 7};

// The first `count` codes of a row of packed codes.
void DecodeCodes(const uint32_t* words, int bits, int64_t count, float* codes);

// Writes the panel of W^T as strips: (code - zero) * scale of each input channel (row) and output
// feature (column).
void DecodePanel(const quant::PackedView& packed, const linalg::Panel& panel, float* strips);

}  // namespace paroquant::runtime

#endif  // PAROQUANT_RUNTIME_PACKED_PANEL_H_
