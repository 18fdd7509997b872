#include "model/families/families.h"

namespace paroquant::model {

void FillMixtral(const io::JsonObject& config, Architecture& architecture) {
  const int64_t window = config.GetOr<int64_t>("sliding_window", 0);
  architecture.windows.assign(architecture.windows.size(), window);
  architecture.experts = {.count = ReadExpertCount(config, "num_local_experts"),
                          .per_token = config.Get<int64_t>("num_experts_per_tok"),
                          .intermediate_size = architecture.intermediate_size,
                          .normalized = true,
                          .layers = std::vector<bool>(architecture.windows.size(), true),
                          .module = "block_sparse_moe",
                          .gate = "w1",
                          .up = "w3",
                          .down = "w2"};
}

}  // namespace paroquant::model
