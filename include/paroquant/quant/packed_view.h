// A packed linear layer wherever its bytes lie: in a mapped checkpoint or in memory.
#ifndef PAROQUANT_QUANT_PACKED_VIEW_H_
#define PAROQUANT_QUANT_PACKED_VIEW_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "paroquant/quant/packing.h"
#include "paroquant/quant/quantized_linear.h"

namespace paroquant::quant {

// The layout is PackedLinear's. The big tensors are viewed; what a runtime prepares anyway is held.
struct PackedView {
  int64_t out_features = 0;
  int64_t in_features = 0;
  int bits = 4;
  int group_size = 128;
  std::span<const uint32_t> qweight;
  std::span<const uint32_t> qzeros;
  std::span<const uint16_t> scales;
  std::vector<uint16_t> channel_scales;
  Rotation rotation;
  std::vector<int32_t> order = {};
  std::shared_ptr<const void> storage;  // keeps the viewed bytes alive, if anything has to
};

// A view that owns what it sees.
PackedView MakeView(PackedLinear packed);

// A copy of what a view sees.
PackedLinear Copy(const PackedView& view);

}  // namespace paroquant::quant

#endif  // PAROQUANT_QUANT_PACKED_VIEW_H_
