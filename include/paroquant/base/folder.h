// What is in a folder, with errors that name the path and the system's reason.
#ifndef PAROQUANT_BASE_FOLDER_H_
#define PAROQUANT_BASE_FOLDER_H_

#include <filesystem>
#include <vector>

namespace paroquant {

// True if there is something at the path, to which links are followed. Throws kSystem if the system
// does not tell.
bool Exists(const std::filesystem::path& path);

// True if `path` is the folder or lies inside it, be it there or not. Links are followed.
bool LiesIn(const std::filesystem::path& path, const std::filesystem::path& folder);

// The paths of all that is in a folder, sorted. Throws kSystem.
std::vector<std::filesystem::path> FolderEntries(const std::filesystem::path& folder);

}  // namespace paroquant

#endif  // PAROQUANT_BASE_FOLDER_H_
