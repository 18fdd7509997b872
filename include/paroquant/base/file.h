// Files with errors that name the path and the system's reason.
#ifndef PAROQUANT_BASE_FILE_H_
#define PAROQUANT_BASE_FILE_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace paroquant {

// A read-only memory map of a whole regular file. An empty file has no bytes.
class MappedFile {
 public:
  // Throws kSystem if the file can't be opened or mapped, kInput if it is no regular file.
  explicit MappedFile(const std::filesystem::path& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  const std::filesystem::path& path() const { return path_; }
  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::filesystem::path path_;
  std::span<const std::byte> bytes_;
};

// The whole file. Throws kSystem; kInput if it holds more than `max_bytes`.
std::string ReadFile(const std::filesystem::path& path, uint64_t max_bytes = uint64_t{1} << 32);

// A file being written, at any offset. Errors are kSystem with the path. The destructor closes
// without a check: call Close() to know that all was taken.
class OutputFile {
 public:
  // Creates the file or empties an existing one.
  explicit OutputFile(const std::filesystem::path& path);
  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&&) = delete;
  ~OutputFile();

  // Reserves the space, so that a full disk shows now and not after hours of work.
  void Reserve(uint64_t size);
  void WriteAt(uint64_t offset, std::span<const std::byte> bytes);
  void Sync();   // to stable storage
  void Close();  // idempotent

 private:
  std::filesystem::path path_;
  int descriptor_;
};

// Writes `text` as the whole content of `path` and syncs it. Not atomic: write under a temporary
// name and rename where a reader could see the file.
void WriteFile(const std::filesystem::path& path, std::string_view text);

// Copies a file byte for byte and syncs the copy.
void CopyFile(const std::filesystem::path& from, const std::filesystem::path& to);

// Makes a folder's entries (creations, renames) durable.
void SyncFolder(const std::filesystem::path& folder);

}  // namespace paroquant

#endif  // PAROQUANT_BASE_FILE_H_
