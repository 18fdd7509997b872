#include "paroquant/quant/packed_view.h"

#include <utility>

namespace paroquant::quant {

PackedView MakeView(PackedLinear packed) {
  const auto owner = std::make_shared<const PackedLinear>(std::move(packed));
  return {.out_features = owner->out_features,
          .in_features = owner->in_features,
          .bits = owner->bits,
          .group_size = owner->group_size,
          .qweight = owner->qweight,
          .qzeros = owner->qzeros,
          .scales = owner->scales,
          .channel_scales = owner->channel_scales,
          .rotation = {.channels = owner->in_features,
                       .group_size = owner->group_size,
                       .rounds = owner->rounds,
                       .pairs = owner->pairs,
                       .theta = owner->theta},
          .storage = owner};
}

}  // namespace paroquant::quant
