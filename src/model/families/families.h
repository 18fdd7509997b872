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
};

std::span<const Family> Families();

void FillLlama(const io::JsonObject& config, Architecture& architecture);
void FillMistral(const io::JsonObject& config, Architecture& architecture);
void FillQwen2(const io::JsonObject& config, Architecture& architecture);
void FillQwen3(const io::JsonObject& config, Architecture& architecture);

// "sliding_window"; 0, full attention, for an explicit null. An absent key is 4096 to each family
// that knows the key.
int64_t SlidingWindow(const io::JsonObject& config);

// Qwen's rule: "use_sliding_window" turns on "sliding_window" from layer "max_window_layers" on.
void FillQwenWindows(const io::JsonObject& config, Architecture& architecture);

}  // namespace paroquant::model

#endif  // PAROQUANT_MODEL_FAMILIES_FAMILIES_H_
