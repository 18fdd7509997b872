// The matrix product behind every linear layer: the weight is decoded to float32 one panel of
// output features at a time, so a stored format only has to say how a panel is decoded.
#ifndef PAROQUANT_NN_PANEL_PRODUCT_H_
#define PAROQUANT_NN_PANEL_PRODUCT_H_

#include <cstdint>
#include <functional>
#include <span>

#include "paroquant/base/matrix.h"

namespace paroquant::nn {

enum class PanelLayout {
  kOutputMajor,  // [count, K]: a row per output feature
  kInputMajor,   // [K, count]: a row per input feature
};

// Output features a panel holds at most; panels start at its multiples.
inline constexpr int64_t kPanelWidth = 128;

// Fills `panel` with the weights of output features [first, first + count), all K inputs.
using PanelDecoder = std::function<void(int64_t first, int64_t count, float* panel)>;

// output [T, N] = input [T, K] W^T + bias (N entries, or none). Threaded over panels and rows;
// the cut depends on the shapes alone.
void MultiplyPanels(ConstMatrixRef input, const PanelDecoder& decode, PanelLayout layout,
                    std::span<const float> bias, MatrixRef output);

}  // namespace paroquant::nn

#endif  // PAROQUANT_NN_PANEL_PRODUCT_H_
