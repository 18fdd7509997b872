#include "model/families/families.h"

namespace paroquant::model {

void FillLlama(const io::JsonObject& config, Architecture& architecture) {
  const bool attention_bias = config.GetOr("attention_bias", false);
  architecture.qkv_bias = attention_bias;
  architecture.attention_output_bias = attention_bias;
  architecture.mlp_bias = config.GetOr("mlp_bias", false);
}

}  // namespace paroquant::model
