#include "model/families/families.h"

namespace paroquant::model {

void FillLlama(const io::JsonObject& config, Architecture& architecture) {
  FillAttentionBias(config, architecture);
  architecture.mlp_bias = config.GetOr("mlp_bias", false);
}

}  // namespace paroquant::model
