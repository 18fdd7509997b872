// What is at a path and in a folder. All errors are kSystem and name the path and the system's
// reason: no other file asks the system in a way that throws std::filesystem_error.
#ifndef PAROQUANT_BASE_FOLDER_H_
#define PAROQUANT_BASE_FOLDER_H_

#include <filesystem>
#include <vector>

namespace paroquant {

// What is at the path, to which links are followed. Nothing is at a path that leads through a
// file, that is too long, or to a link that leads to nothing or to itself. Throw if the system
// does not tell.
bool Exists(const std::filesystem::path& path);
bool IsFolder(const std::filesystem::path& path);
bool IsRegularFile(const std::filesystem::path& path);

// True for a folder, false for a link to one. Throws as the above.
bool IsFolderItself(const std::filesystem::path& path);

// The paths of all that is in a folder, sorted. Throws.
std::vector<std::filesystem::path> FolderEntries(const std::filesystem::path& folder);

// The path from the root on. Throws if the current folder is gone.
std::filesystem::path AbsolutePath(const std::filesystem::path& path);

// The absolute path without links and dots, of which the last parts need not exist. Throws if the
// system cannot follow it.
std::filesystem::path ResolvedPath(const std::filesystem::path& path);

// True if `path` is the folder or lies inside it, be it there or not. Links are followed. Throws as
// the above.
bool LiesIn(const std::filesystem::path& path, const std::filesystem::path& folder);

// Removes a file, a link or an empty folder, if it is there. Throws.
void RemoveEntry(const std::filesystem::path& path);

}  // namespace paroquant

#endif  // PAROQUANT_BASE_FOLDER_H_
