#include "paroquant/base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <utility>

#include "base/reserve_space.h"
#include "paroquant/base/error.h"
#include "paroquant/base/interrupted.h"

namespace paroquant {
namespace {

int Open(const std::filesystem::path& path, int flags) {
  return RetryInterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, 0666); });
}

// A file descriptor that closes itself.
class Descriptor {
 public:
  Descriptor(const std::filesystem::path& path, int flags) : value_(Open(path, flags)) {
    if (value_ >= 0) return;
    const bool missing = errno == ENOENT || errno == ENOTDIR || errno == ELOOP;
    if (!missing || (flags & O_CREAT) != 0) throw SystemError(path.string(), "open", errno);
    throw Error(ErrorKind::kInput, {.where = path.string(),
                                    .expected = "a file to read",
                                    .found = "none at this path",
                                    .hint = "Check the path."});
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { ::close(value_); }
  int get() const { return value_; }

 private:
  int value_;
};

uint64_t RegularFileSize(const Descriptor& file, const std::filesystem::path& path) {
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) throw SystemError(path.string(), "read its size", errno);
  if (!S_ISREG(info.st_mode)) {
    throw Error(ErrorKind::kInput, {.where = path.string(),
                                    .expected = "a regular file",
                                    .found = S_ISDIR(info.st_mode) ? "a folder" : "a special file",
                                    .hint = "Check the path."});
  }
  return static_cast<uint64_t>(info.st_size);
}

// Text of this length, to read a file into.
std::string Room(uint64_t size, const std::filesystem::path& path) {
  try {
    return std::string(size, '\0');
  } catch (const std::bad_alloc&) {
    throw SystemError(path.string(), fmt::format("read its {} bytes into memory", size), ENOMEM);
  }
}

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path) : path_(path) {
  const Descriptor file(path, O_RDONLY | O_NONBLOCK);
  const uint64_t size = RegularFileSize(file, path);
  if (size == 0) return;
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (data == MAP_FAILED) throw SystemError(path.string(), "map", errno);
  bytes_ = {static_cast<const std::byte*>(data), size};
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)), bytes_(std::exchange(other.bytes_, {})) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

std::string ReadFile(const std::filesystem::path& path, uint64_t max_bytes) {
  const Descriptor file(path, O_RDONLY | O_NONBLOCK);
  const uint64_t size = RegularFileSize(file, path);
  if (size > max_bytes) {
    throw Error(ErrorKind::kInput, {.where = path.string(),
                                    .expected = fmt::format("at most {} bytes", max_bytes),
                                    .found = fmt::format("{} bytes", size),
                                    .hint = "Is this the right file?"});
  }
  std::string text = Room(size, path);
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t n = RetryInterrupted(
        [&] { return ::read(file.get(), text.data() + done, text.size() - done); });
    if (n < 0) throw SystemError(path.string(), "read", errno);
    if (n == 0) break;  // the file shrank meanwhile
    done += static_cast<size_t>(n);
  }
  text.resize(done);
  return text;
}

OutputFile::OutputFile(const std::filesystem::path& path)
    : path_(path), descriptor_(Open(path, O_RDWR | O_CREAT | O_TRUNC)) {
  if (descriptor_ < 0) throw SystemError(path.string(), "create", errno);
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

OutputFile::~OutputFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void OutputFile::Reserve(uint64_t size) {
  if (size == 0) return;
  if (const int error = ReserveSpace(descriptor_, size)) {
    throw SystemError(path_.string(), fmt::format("reserve {} bytes", size), error);
  }
}

void OutputFile::WriteAt(uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = RetryInterrupted([&] {
      return ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    });
    if (n < 0) throw SystemError(path_.string(), "write", errno);
    offset += static_cast<uint64_t>(n);
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
}

void OutputFile::Sync() {
  if (RetryInterrupted([&] { return ::fsync(descriptor_); }) != 0) {
    throw SystemError(path_.string(), "sync", errno);
  }
}

void OutputFile::Close() {
  if (descriptor_ < 0) return;
  if (::close(std::exchange(descriptor_, -1)) != 0) {
    throw SystemError(path_.string(), "close", errno);
  }
}

void WriteFile(const std::filesystem::path& path, std::string_view text) {
  OutputFile file(path);
  file.WriteAt(0, std::as_bytes(std::span(text)));
  file.Sync();
  file.Close();
}

void CopyFile(const std::filesystem::path& from, const std::filesystem::path& to) {
  const MappedFile source(from);
  OutputFile target(to);
  target.WriteAt(0, source.bytes());
  target.Sync();
  target.Close();
}

void SyncFolder(const std::filesystem::path& folder) {
  const Descriptor directory(folder, O_RDONLY | O_DIRECTORY);
  if (RetryInterrupted([&] { return ::fsync(directory.get()); }) != 0) {
    throw SystemError(folder.string(), "sync", errno);
  }
}

}  // namespace paroquant
