// Rotary settings out of config.json.
#ifndef PAROQUANT_MODEL_ROPE_SETTINGS_H_
#define PAROQUANT_MODEL_ROPE_SETTINGS_H_

#include <optional>

#include "paroquant/io/json.h"
#include "paroquant/model/architecture.h"

namespace paroquant::model {

// Reads "rope_parameters", or "rope_theta" and "rope_scaling"; a "rope_theta" that the former lacks
// may stand beside it. Where layers differ, those of full attention.
RopeSettings ParseRope(const io::JsonObject& config, int64_t max_positions);

// Those of layers with a sliding window, where they are others: "sliding_attention" in
// "rope_parameters", or "rope_local_base_freq".
std::optional<RopeSettings> ParseLocalRope(const io::JsonObject& config, int64_t max_positions);

}  // namespace paroquant::model

#endif  // PAROQUANT_MODEL_ROPE_SETTINGS_H_
