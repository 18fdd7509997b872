#include "model/families/families.h"

namespace paroquant::model {

void FillQwenWindows(const io::JsonObject& config, Architecture& architecture) {
  if (!config.GetOr("use_sliding_window", false)) {
    architecture.windows.assign(architecture.windows.size(), 0);
    return;
  }
  const int64_t window = SlidingWindow(config);
  const auto first = config.GetOr<int64_t>("max_window_layers", 28);
  for (int64_t layer = 0; layer < architecture.layers; ++layer) {
    architecture.windows[static_cast<size_t>(layer)] = layer >= first ? window : 0;
  }
}

void FillQwen2(const io::JsonObject& config, Architecture& architecture) {
  architecture.qkv_bias = true;
  FillQwenWindows(config, architecture);
}

}  // namespace paroquant::model
