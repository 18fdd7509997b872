#include "model/families/families.h"

namespace paroquant::model {

const char kGemma2Defaults[] = R"({"head_dim": 256, "hidden_activation": "gelu_pytorch_tanh",
  "max_position_embeddings": 8192, "tie_word_embeddings": true, "query_pre_attn_scalar": 256,
  "sliding_window": 4096, "attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0})";

void FillGemma2(const io::JsonObject& config, Architecture& architecture) {
  FillGemma(config, architecture);
  FillSandwichNorms(architecture);
  architecture.attention_scale = ReadQueryScale(config);
  architecture.attention_softcap = ReadSoftcap(config, "attn_logit_softcapping");
  architecture.logits_softcap = ReadSoftcap(config, "final_logit_softcapping");
  // Every other layer sees a window, the first one too.
  for (size_t layer = 0; layer < architecture.windows.size(); layer += 2) {
    architecture.windows[layer] = SlidingWindow(config);
  }
}

}  // namespace paroquant::model
