#include "model/families/families.h"

namespace paroquant::model {

void FillOlmo2(const io::JsonObject& config, Architecture& architecture) {
  FillAttentionBias(config, architecture);
  architecture.norms = {.attention_input = "",
                        .attention_output = "post_attention_layernorm.weight",
                        .mlp_input = "",
                        .mlp_output = "post_feedforward_layernorm.weight"};
  architecture.query_key_norm = QueryKeyNorm::kAllHeads;
}

}  // namespace paroquant::model
