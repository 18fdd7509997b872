#include "model/families/families.h"

namespace paroquant::model {

void FillQwen3(const io::JsonObject& config, Architecture& architecture) {
  const bool attention_bias = config.GetOr("attention_bias", false);
  architecture.qkv_bias = attention_bias;
  architecture.attention_output_bias = attention_bias;
  architecture.query_key_norm = true;
  architecture.head_dim = config.GetOr<int64_t>("head_dim", 128);
  FillQwenWindows(config, architecture);
}

}  // namespace paroquant::model
