#include "model/families/families.h"

namespace paroquant::model {

void FillQwen3(const io::JsonObject& config, Architecture& architecture) {
  FillAttentionBias(config, architecture);
  architecture.query_key_norm = QueryKeyNorm::kEachHead;
  architecture.head_dim = config.GetOr<int64_t>("head_dim", 128);
  FillQwenWindows(config, architecture);
}

}  // namespace paroquant::model
