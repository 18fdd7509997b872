#include "model/families/families.h"

namespace paroquant::model {

void FillPhi3(const io::JsonObject& config, Architecture& architecture) {
  architecture.fused_qkv = true;
  architecture.fused_gate_up = true;
  const auto window = config.GetOr<int64_t>("sliding_window", 0);
  architecture.windows.assign(architecture.windows.size(), window);
}

}  // namespace paroquant::model
