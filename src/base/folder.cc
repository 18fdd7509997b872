#include "paroquant/base/folder.h"

#include <algorithm>
#include <system_error>

#include "paroquant/base/error.h"

namespace paroquant {

namespace fs = std::filesystem;

bool Exists(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (fs::status_known(status)) return fs::exists(status);
  // Nothing can be at such a path.
  if (error == std::errc::filename_too_long || error == std::errc::too_many_symbolic_link_levels) {
    return false;
  }
  throw SystemError(path.string(), "look whether this exists", error.value());
}

bool LiesIn(const fs::path& path, const fs::path& folder) {
  const fs::path outer = fs::weakly_canonical(fs::absolute(folder));
  for (fs::path inner = fs::weakly_canonical(fs::absolute(path));; inner = inner.parent_path()) {
    if (inner == outer) return true;
    if (inner == inner.parent_path()) return false;
  }
}

std::vector<fs::path> FolderEntries(const fs::path& folder) {
  std::vector<fs::path> paths;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != end(entry); entry.increment(error)) paths.push_back(entry->path());
  if (error) throw SystemError(folder.string(), "read this folder", error.value());
  std::ranges::sort(paths);
  return paths;
}

}  // namespace paroquant
