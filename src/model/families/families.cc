#include "model/families/families.h"

namespace paroquant::model {
namespace {

constexpr Family kFamilies[] = {
    {"llama", FillLlama},
    {"mistral", FillMistral},
    {"qwen2", FillQwen2},
    {"qwen3", FillQwen3},
};

}  // namespace

std::span<const Family> Families() { return kFamilies; }

}  // namespace paroquant::model
