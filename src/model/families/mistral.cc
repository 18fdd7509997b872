#include "model/families/families.h"

namespace paroquant::model {

void FillMistral(const io::JsonObject& config, Architecture& architecture) {
  architecture.windows.assign(architecture.windows.size(), SlidingWindow(config));
}

}  // namespace paroquant::model
