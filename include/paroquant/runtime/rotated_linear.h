// The reference runtime's linear layer: the activations in the layer's order of channels, channel
// scales and rotations applied to them, then a product with the packed codes, which are never
// unpacked as a whole.
#ifndef PAROQUANT_RUNTIME_ROTATED_LINEAR_H_
#define PAROQUANT_RUNTIME_ROTATED_LINEAR_H_

#include <cstdint>
#include <vector>

#include "paroquant/base/matrix.h"
#include "paroquant/nn/linear.h"
#include "paroquant/quant/packed_view.h"
#include "paroquant/quant/rotation.h"

namespace paroquant::runtime {

class RotatedLinear : public nn::Linear {
 public:
  // `bias` has N entries or none.
  RotatedLinear(quant::PackedView packed, std::vector<float> bias);

  int64_t out_features() const override { return packed_.out_features; }
  int64_t in_features() const override { return packed_.in_features; }
  void Forward(ConstMatrixRef input, MatrixRef output) const override;

 private:
  // The same on input channels in the order of the codes.
  void ForwardInOrder(ConstMatrixRef input, MatrixRef output) const;

  quant::PackedView packed_;
  std::vector<float> bias_;
  quant::PreparedRotation<float> rotation_;
  std::vector<float> channel_scales_;  // [K]
};

}  // namespace paroquant::runtime

#endif  // PAROQUANT_RUNTIME_ROTATED_LINEAR_H_
