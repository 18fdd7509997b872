// Decoding of packed codes, a panel of output features at a time.
#ifndef PAROQUANT_RUNTIME_PACKED_PANEL_H_
#define PAROQUANT_RUNTIME_PACKED_PANEL_H_

#include <cstdint>

#include "paroquant/linalg/product.h"
#include "paroquant/quant/packed_view.h"

namespace paroquant::runtime {

// Writes the panel of W^T as strips: (code - zero) * scale of each input channel (row) and output
// feature (column).
void DecodePanel(const quant::PackedView& packed, const linalg::Panel& panel, float* strips);

}  // namespace paroquant::runtime

#endif  // PAROQUANT_RUNTIME_PACKED_PANEL_H_
