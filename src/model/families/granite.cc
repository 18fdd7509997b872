#include "model/families/families.h"

namespace paroquant::model {

void FillGranite(const io::JsonObject& config, Architecture& architecture) {
  FillLlama(config, architecture);
  const auto multiplier = [&](const char* key) {
    const double value = config.GetOr(key, 1.0);
    if (!(value > 0.0)) config.Fail(key, "a positive number", fmt::format("{}", value));
    return value;
  };
  architecture.embedding_multiplier = multiplier("embedding_multiplier");
  architecture.residual_multiplier = multiplier("residual_multiplier");
  architecture.attention_scale = multiplier("attention_multiplier");
  architecture.logits_divisor = multiplier("logits_scaling");
}

}  // namespace paroquant::model
