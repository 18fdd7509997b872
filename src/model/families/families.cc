#include "model/families/families.h"

#include <cmath>

namespace paroquant::model {
namespace {

constexpr int64_t kDefaultWindow = 4096;

// A "_text" is the language model in a model of several parts.
constexpr Family kFamilies[] = {
    {.model_type = "gemma", .fill = FillGemma, .defaults = kGemmaDefaults, .gelu_is_tanh = true},
    {.model_type = "gemma2", .fill = FillGemma2, .defaults = kGemma2Defaults},
    {.model_type = "gemma3_text", .fill = FillGemma3, .defaults = kGemma3Defaults},
    {.model_type = "granite", .fill = FillGranite},
    {.model_type = "llama", .fill = FillLlama},
    {.model_type = "mistral", .fill = FillMistral},
    {.model_type = "mixtral", .fill = FillMixtral},
    {.model_type = "olmo2", .fill = FillOlmo2},
    {.model_type = "phi3", .fill = FillPhi3},
    {.model_type = "qwen2", .fill = FillQwen2},
    {.model_type = "qwen3", .fill = FillQwen3},
    {.model_type = "qwen3_moe", .fill = FillQwen3Moe},
    {.model_type = "qwen3_vl_moe_text", .fill = FillQwen3VlMoe},
    {.model_type = "qwen3_vl_text", .fill = FillQwen3},
    {.model_type = "smollm3", .fill = FillSmolLm3, .defaults = kSmolLm3Defaults},
};

}  // namespace

std::span<const Family> Families() { return kFamilies; }

int64_t SlidingWindow(const io::JsonObject& config) {
  const bool absent = !config.json().contains("sliding_window");
  return config.GetOr<int64_t>("sliding_window", absent ? kDefaultWindow : 0);
}

void FillSandwichNorms(Architecture& architecture) {
  architecture.norms = {.attention_input = "input_layernorm.weight",
                        .attention_output = "post_attention_layernorm.weight",
                        .mlp_input = "pre_feedforward_layernorm.weight",
                        .mlp_output = "post_feedforward_layernorm.weight"};
}

double ReadQueryScale(const io::JsonObject& config) {
  constexpr char kKey[] = "query_pre_attn_scalar";
  const auto scalar = config.Get<double>(kKey);
  if (!(scalar > 0.0)) config.Fail(kKey, "a positive number", fmt::format("{}", scalar));
  return 1.0 / std::sqrt(scalar);
}

double ReadSoftcap(const io::JsonObject& config, const char* key) {
  const double cap = config.GetOr(key, 0.0);
  if (cap < 0.0 || (config.Has(key) && cap == 0.0)) {
    config.Fail(key, "a positive number or null", fmt::format("{}", cap));
  }
  return cap;
}

int64_t ReadExpertCount(const io::JsonObject& config, const char* key) {
  constexpr int64_t kMostInALayer = 4096;
  const auto count = config.Get<int64_t>(key);
  if (count < 1 || count > kMostInALayer) {
    config.Fail(key, fmt::format("between 1 and {}", kMostInALayer), fmt::format("{}", count));
  }
  return count;
}

int64_t ReadExpertWidth(const io::JsonObject& config, const char* key) {
  constexpr int64_t kWidest = int64_t{1} << 24;
  const auto width = config.Get<int64_t>(key);
  if (width < 1 || width > kWidest) {
    config.Fail(key, fmt::format("between 1 and {}", kWidest), fmt::format("{}", width));
  }
  return width;
}

void FillAttentionBias(const io::JsonObject& config, Architecture& architecture) {
  const bool attention_bias = config.GetOr("attention_bias", false);
  architecture.qkv_bias = attention_bias;
  architecture.attention_output_bias = attention_bias;
}

}  // namespace paroquant::model
