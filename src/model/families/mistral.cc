#include "model/families/families.h"

namespace paroquant::model {
namespace {

// What the family's configuration means by an absent key; an explicit null is full attention.
constexpr int64_t kDefaultWindow = 4096;

}  // namespace

void FillMistral(const io::JsonObject& config, Architecture& architecture) {
  const bool absent = !config.json().contains("sliding_window");
  const auto window = config.GetOr<int64_t>("sliding_window", absent ? kDefaultWindow : 0);
  architecture.windows.assign(architecture.windows.size(), window);
}

}  // namespace paroquant::model
