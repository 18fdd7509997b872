#include <cmath>

#include "model/families/families.h"

namespace paroquant::model {

// The published config.json files leave out much of what transformers' GemmaConfig holds.
const char kGemmaDefaults[] = R"({"head_dim": 256, "hidden_activation": "gelu_pytorch_tanh",
  "max_position_embeddings": 8192, "tie_word_embeddings": true})";

void FillGemma(const io::JsonObject& config, Architecture& architecture) {
  FillAttentionBias(config, architecture);
  architecture.norms_add_one = true;
  architecture.embedding_multiplier = std::sqrt(static_cast<double>(architecture.hidden_size));
}

}  // namespace paroquant::model
