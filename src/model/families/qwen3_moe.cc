#include "model/families/families.h"

namespace paroquant::model {

namespace {

// Layers take turns, and some are named to have a plain MLP.
std::vector<bool> SparseLayers(const io::JsonObject& config, int64_t layers) {
  const auto step = config.GetOr<int64_t>("decoder_sparse_step", 1);
  if (step < 1) config.Fail("decoder_sparse_step", "1 or more", fmt::format("{}", step));
  std::vector<bool> sparse;
  for (int64_t layer = 0; layer < layers; ++layer) sparse.push_back((layer + 1) % step == 0);
  if (!config.Has("mlp_only_layers")) return sparse;
  for (const io::Json& layer : config.json().at("mlp_only_layers")) {
    if (!layer.is_number_integer() || layer < 0 || layer >= layers) {
      config.Fail("mlp_only_layers", fmt::format("layers under {}", layers), layer.dump());
    }
    sparse[layer.get<size_t>()] = false;
  }
  return sparse;
}

}  // namespace

void FillQwen3Moe(const io::JsonObject& config, Architecture& architecture) {
  FillQwen3(config, architecture);
  // The newer style calls the experts as mixtral does.
  const char* count = config.Has("num_local_experts") ? "num_local_experts" : "num_experts";
  architecture.experts = {.count = ReadExpertCount(config, count),
                          .per_token = config.Get<int64_t>("num_experts_per_tok"),
                          .intermediate_size = ReadExpertWidth(config, "moe_intermediate_size"),
                          .normalized = config.GetOr("norm_topk_prob", false),
                          .layers = SparseLayers(config, architecture.layers),
                          .module = "mlp",
                          .gate = "gate_proj",
                          .up = "up_proj",
                          .down = "down_proj"};
}

void FillQwen3VlMoe(const io::JsonObject& config, Architecture& architecture) {
  FillQwen3Moe(config, architecture);
  architecture.experts.stacked = true;
  architecture.experts.normalized = true;  // whatever the config says
}

}  // namespace paroquant::model
