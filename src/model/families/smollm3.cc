#include "model/families/families.h"

namespace paroquant::model {

const char kSmolLm3Defaults[] = R"({"tie_word_embeddings": true, "rope_theta": 2000000.0})";

void FillSmolLm3(const io::JsonObject& config, Architecture& architecture) {
  FillLlama(config, architecture);
  const auto interval = config.GetOr<int64_t>("no_rope_layer_interval", 4);
  if (interval < 1) config.Fail("no_rope_layer_interval", "1 or more", fmt::format("{}", interval));
  const bool listed = config.Has("no_rope_layers");
  const io::Json& list = listed ? config.json().at("no_rope_layers") : io::Json();
  if (listed && (!list.is_array() || list.size() != architecture.windows.size())) {
    config.Fail("no_rope_layers", fmt::format("a list of {} entries", architecture.layers),
                "something else");
  }
  for (size_t layer = 0; layer < architecture.rope_uses.size(); ++layer) {
    // The list's name notwithstanding, 1 stands for a layer that encodes positions.
    const bool turns = listed ? list[layer] == 1 : (layer + 1) % static_cast<size_t>(interval) != 0;
    if (turns) continue;
    architecture.rope_uses[layer] = RopeUse::kNone;
    if (config.GetOr("use_sliding_window", false)) {
      architecture.windows[layer] = config.GetOr<int64_t>("sliding_window", 0);
    }
  }
}

}  // namespace paroquant::model
