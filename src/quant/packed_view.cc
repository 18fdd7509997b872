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
          .order = owner->order,
          .storage = owner};
}

PackedLinear Copy(const PackedView& view) {
  return {.out_features = view.out_features,
          .in_features = view.in_features,
          .bits = view.bits,
          .group_size = view.group_size,
          .rounds = view.rotation.rounds,
          .qweight = {view.qweight.begin(), view.qweight.end()},
          .qzeros = {view.qzeros.begin(), view.qzeros.end()},
          .scales = {view.scales.begin(), view.scales.end()},
          .channel_scales = view.channel_scales,
          .theta = view.rotation.theta,
          .pairs = view.rotation.pairs,
          .order = view.order};
}

}  // namespace paroquant::quant
