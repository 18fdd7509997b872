// The table of families: what a model_type changes about the common reading of config.json.
#ifndef PAROQUANT_MODEL_FAMILIES_FAMILIES_H_
#define PAROQUANT_MODEL_FAMILIES_FAMILIES_H_

#include <span>

#include "paroquant/io/json.h"
#include "paroquant/model/architecture.h"

namespace paroquant::model {

struct Family {
  const char* model_type;
  // Called after the keys that all families share were read.
  void (*fill)(const io::JsonObject& config, Architecture& architecture);
  // Values of keys that a config.json may leave out, where they are not everybody's; JSON.
  const char* defaults = nullptr;
  // Models whose config says "gelu" though they were trained with its tanh approximation.
  bool gelu_is_tanh = false;
};

std::span<const Family> Families();

void FillGemma(const io::JsonObject& config, Architecture& architecture);
extern const char kGemmaDefaults[];
void FillGemma2(const io::JsonObject& config, Architecture& architecture);
extern const char kGemma2Defaults[];
void FillGemma3(const io::JsonObject& config, Architecture& architecture);
extern const char kGemma3Defaults[];
void FillGranite(const io::JsonObject& config, Architecture& architecture);
void FillLlama(const io::JsonObject& config, Architecture& architecture);
void FillMistral(const io::JsonObject& config, Architecture& architecture);
void FillMixtral(const io::JsonObject& config, Architecture& architecture);
void FillOlmo2(const io::JsonObject& config, Architecture& architecture);
void FillPhi3(const io::JsonObject& config, Architecture& architecture);
void FillQwen2(const io::JsonObject& config, Architecture& architecture);
void FillQwen3(const io::JsonObject& config, Architecture& architecture);
void FillQwen3Moe(const io::JsonObject& config, Architecture& architecture);
void FillQwen3VlMoe(const io::JsonObject& config, Architecture& architecture);
void FillSmolLm3(const io::JsonObject& config, Architecture& architecture);
extern const char kSmolLm3Defaults[];

// "attention_bias" of all four linears of attention.
void FillAttentionBias(const io::JsonObject& config, Architecture& architecture);

// Norms before and after attention and MLP.
void FillSandwichNorms(Architecture& architecture);

// 1 / sqrt("query_pre_attn_scalar"), Gemma's scale of attention scores.
double ReadQueryScale(const io::JsonObject& config);
// 0 for null.
double ReadSoftcap(const io::JsonObject& config, const char* key);

int64_t ReadExpertCount(const io::JsonObject& config, const char* key);
int64_t ReadExpertWidth(const io::JsonObject& config, const char* key);

// "sliding_window"; 0, full attention, for an explicit null. An absent key is 4096 to each family
// that knows the key.
int64_t SlidingWindow(const io::JsonObject& config);

// Qwen's rule: "use_sliding_window" turns on "sliding_window" from layer "max_window_layers" on.
void FillQwenWindows(const io::JsonObject& config, Architecture& architecture);

}  // namespace paroquant::model

#endif  // PAROQUANT_MODEL_FAMILIES_FAMILIES_H_
