#include "paroquant/base/folder.h"

#include <algorithm>
#include <system_error>

#include "paroquant/base/error.h"

namespace paroquant {

namespace fs = std::filesystem;

namespace {

void ThrowIf(const std::error_code& error, const fs::path& path, const char* action) {
  if (error) throw SystemError(path.string(), action, error.value());
}

// The type in a status that the system has given with this error.
fs::file_type TypeOf(const fs::file_status& status, const fs::path& path,
                     const std::error_code& error) {
  if (fs::status_known(status)) return status.type();
  // Nothing can be at such a path.
  if (error == std::errc::filename_too_long || error == std::errc::too_many_symbolic_link_levels) {
    return fs::file_type::not_found;
  }
  throw SystemError(path.string(), "look whether this exists", error.value());
}

fs::file_type TypeAt(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  return TypeOf(status, path, error);
}

}  // namespace

bool Exists(const fs::path& path) { return TypeAt(path) != fs::file_type::not_found; }

bool IsFolder(const fs::path& path) { return TypeAt(path) == fs::file_type::directory; }

bool IsRegularFile(const fs::path& path) { return TypeAt(path) == fs::file_type::regular; }

bool IsFolderItself(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::symlink_status(path, error);
  return TypeOf(status, path, error) == fs::file_type::directory;
}

std::vector<fs::path> FolderEntries(const fs::path& folder) {
  std::vector<fs::path> paths;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != end(entry); entry.increment(error)) paths.push_back(entry->path());
  ThrowIf(error, folder, "read this folder");
  std::ranges::sort(paths);
  return paths;
}

fs::path AbsolutePath(const fs::path& path) {
  std::error_code error;
  fs::path absolute = fs::absolute(path, error);
  ThrowIf(error, path, "find this path from the current folder");
  return absolute;
}

fs::path ResolvedPath(const fs::path& path) {
  std::error_code error;
  fs::path resolved = fs::weakly_canonical(AbsolutePath(path), error);
  ThrowIf(error, path, "follow this path");
  return resolved.has_filename() ? resolved : resolved.parent_path();  // "new/" is "new"
}

bool LiesIn(const fs::path& path, const fs::path& folder) {
  const fs::path outer = ResolvedPath(folder);
  for (fs::path inner = ResolvedPath(path);; inner = inner.parent_path()) {
    if (inner == outer) return true;
    if (inner == inner.parent_path()) return false;
  }
}

void RemoveEntry(const fs::path& path) {
  std::error_code error;
  fs::remove(path, error);
  ThrowIf(error, path, "remove this file");
}

}  // namespace paroquant
