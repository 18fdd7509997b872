#include "paroquant/runtime/rotated_linear.h"

#include <utility>

#include "paroquant/base/half.h"
#include "paroquant/linalg/product.h"
#include "runtime/packed_panel.h"

namespace paroquant::runtime {

RotatedLinear::RotatedLinear(quant::PackedView packed, std::vector<float> bias)
    : packed_(std::move(packed)), bias_(std::move(bias)), rotation_(packed_.rotation) {
  channel_scales_.reserve(packed_.channel_scales.size());
  for (const uint16_t scale : packed_.channel_scales) {
    channel_scales_.push_back(HalfToFloat(scale));
  }
}

void RotatedLinear::Forward(ConstMatrixRef input, MatrixRef output) const {
  Matrix rotated(input.rows(), input.cols());
  rotation_.RotateRows(input, channel_scales_.data(), rotated);
  const auto pack = [&](const linalg::Panel& panel, float* strips) {
    DecodePanel(packed_, panel, strips);
  };
  linalg::Multiply(rotated, pack, bias_, output);
}

}  // namespace paroquant::runtime
