#include "paroquant/io/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "paroquant/base/error.h"
#include "paroquant/base/interrupted.h"

namespace paroquant::io {
namespace {

int OpenFolder(const std::filesystem::path& folder) {
  return RetryInterrupted(
      [&] { return ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
}

int Lock(int descriptor, int kind) {
  return RetryInterrupted([&] { return ::flock(descriptor, kind | LOCK_NB); });
}

}  // namespace

FolderLock::FolderLock(const std::filesystem::path& folder) : descriptor_(OpenFolder(folder)) {
  if (descriptor_ < 0) throw SystemError(folder.string(), "open this folder", errno);
  if (Lock(descriptor_, LOCK_EX) == 0) return;
  const int error = errno;
  ::close(descriptor_);
  if (error != EWOULDBLOCK) throw SystemError(folder.string(), "lock this folder", error);
  throw Error(ErrorKind::kUsage, {.where = folder.string(),
                                  .expected = "a folder that no other run writes to",
                                  .found = "a run at work on it",
                                  .hint = "Wait until that run ends, or choose another folder."});
}

FolderLock::FolderLock(FolderLock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

FolderLock::~FolderLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

bool FolderLock::IsTaken(const std::filesystem::path& folder) {
  const int descriptor = OpenFolder(folder);
  if (descriptor < 0) return false;
  const bool taken = Lock(descriptor, LOCK_SH) != 0 && errno == EWOULDBLOCK;
  ::close(descriptor);
  return taken;
}

}  // namespace paroquant::io
