#ifndef PAROQUANT_IO_FOLDER_LOCK_H_
#define PAROQUANT_IO_FOLDER_LOCK_H_

#include <filesystem>

namespace paroquant::io {

// Keeps other processes from writing to a folder, as far as they ask. It lies on the open folder
// itself (flock), so it leaves no file and ends with the process, however that ends. On a network
// file system it may hold for the processes of one machine only.
class FolderLock {
 public:
  // Throws kUsage if another process (or another FolderLock of this one) has the folder, kSystem if
  // it can't be opened.
  explicit FolderLock(const std::filesystem::path& folder);
  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&&) = delete;
  ~FolderLock();

  // Does somebody have it now? False for a folder that is not there.
  static bool IsTaken(const std::filesystem::path& folder);

 private:
  int descriptor_;
};

}  // namespace paroquant::io

#endif  // PAROQUANT_IO_FOLDER_LOCK_H_
