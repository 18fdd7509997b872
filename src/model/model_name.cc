#include "paroquant/model/model_name.h"

#include <string_view>

#include "paroquant/base/folder.h"

namespace paroquant::model {

namespace fs = std::filesystem;

std::string ModelName(const fs::path& folder) {
  constexpr std::string_view kCached = "models--";
  const fs::path path = ResolvedPath(folder);
  for (const fs::path& part : path) {
    std::string name = part.string();
    if (!name.starts_with(kCached)) continue;
    name = name.substr(kCached.size());
    const size_t dashes = name.find("--");
    // GCC 12 warns of the form that takes a string (-Wrestrict), without a reason.
    if (dashes != std::string::npos) return name.replace(dashes, 2, 1, '/');
  }
  return path.filename().string();
}

std::string WithoutOwner(const std::string& name) { return name.substr(name.rfind('/') + 1); }

}  // namespace paroquant::model
