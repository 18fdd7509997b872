#include "model/families/families.h"

namespace paroquant::model {
namespace {

constexpr int64_t kDefaultWindow = 4096;

constexpr Family kFamilies[] = {
    {"llama", FillLlama},
    {"mistral", FillMistral},
    {"qwen2", FillQwen2},
    {"qwen3", FillQwen3},
};

}  // namespace

std::span<const Family> Families() { return kFamilies; }

int64_t SlidingWindow(const io::JsonObject& config) {
  const bool absent = !config.json().contains("sliding_window");
  return config.GetOr<int64_t>("sliding_window", absent ? kDefaultWindow : 0);
}

}  // namespace paroquant::model
