#include "model/families/families.h"

namespace paroquant::model {

const char kGemma3Defaults[] = R"({"vocab_size": 262208, "num_attention_heads": 8,
  "num_key_value_heads": 4, "head_dim": 256, "hidden_activation": "gelu_pytorch_tanh",
  "max_position_embeddings": 131072, "tie_word_embeddings": true, "query_pre_attn_scalar": 256,
  "bos_token_id": 2, "eos_token_id": 1, "sliding_window": 4096, "sliding_window_pattern": 6,
  "rope_theta": 1000000.0, "rope_local_base_freq": 10000.0})";

void FillGemma3(const io::JsonObject& config, Architecture& architecture) {
  FillGemma(config, architecture);
  FillSandwichNorms(architecture);
  architecture.query_key_norm = QueryKeyNorm::kEachHead;
  architecture.attention_scale = ReadQueryScale(config);
  architecture.attention_softcap = ReadSoftcap(config, "attn_logit_softcapping");
  architecture.logits_softcap = ReadSoftcap(config, "final_logit_softcapping");
  // All but the last of each so many layers see a window.
  const auto pattern = config.Get<int64_t>("sliding_window_pattern");
  if (pattern < 1) config.Fail("sliding_window_pattern", "1 or more", fmt::format("{}", pattern));
  for (int64_t layer = 0; layer < architecture.layers; ++layer) {
    const bool full = (layer + 1) % pattern == 0;
    architecture.windows[static_cast<size_t>(layer)] = full ? 0 : SlidingWindow(config);
  }
}

}  // namespace paroquant::model
