// Decoding of packed codes, a panel of output features at a time.
#ifndef PAROQUANT_RUNTIME_PACKED_PANEL_H_
#define PAROQUANT_RUNTIME_PACKED_PANEL_H_

#include <cstdint>

#include "paroquant/quant/packed_view.h"

namespace paroquant::runtime {

// panel[k * count + n] = (code - zero) * scale of input channel k and output feature first + n.
// `first` is a multiple of nn::kPanelWidth, so every format's words start there; count is at most
// that.
void DecodePanel(const quant::PackedView& packed, int64_t first, int64_t count, float* panel);

}  // namespace paroquant::runtime

#endif  // PAROQUANT_RUNTIME_PACKED_PANEL_H_
