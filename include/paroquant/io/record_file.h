// Files that are as they were written or not there: they get their name when all of them is on the
// disk, and a checksum tells later whether a bit has changed. docs/reliability.md has the layout.
#ifndef PAROQUANT_IO_RECORD_FILE_H_
#define PAROQUANT_IO_RECORD_FILE_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <vector>

#include "paroquant/base/file.h"
#include "paroquant/io/json.h"

namespace paroquant::io {

// Writes a record: data, then JSON that describes it. All errors are kSystem with the path.
class RecordWriter {
 public:
  // Writes to a temporary file beside `path`.
  explicit RecordWriter(std::filesystem::path path);
  RecordWriter(const RecordWriter&) = delete;
  RecordWriter& operator=(const RecordWriter&) = delete;
  // Without a Commit() removes the temporary file.
  ~RecordWriter();

  void Append(std::span<const std::byte> data);
  // Puts the record in the place of any that had this name. It is durable when this returns.
  void Commit(const Json& description);

 private:
  void Write(std::span<const std::byte> bytes);

  std::filesystem::path path_;
  std::filesystem::path temporary_;  // kept, as the destructor may find no memory to make it
  OutputFile file_;
  uint64_t size_ = 0;
  uint32_t checksum_ = 0;  // of the bytes so far
  bool committed_ = false;
};

// Names of temporary files end in this.
inline constexpr char kUnfinishedRecord[] = ".tmp";

// A record that is read from its beginning on.
class Record {
 public:
  // Nothing if there is no such file. Throws kInput, saying what is wrong, for one that is not as
  // it was written.
  static std::optional<Record> Open(const std::filesystem::path& path);

  const Json& description() const { return description_; }
  // The next values of the data, as many as `values` holds. Throws kInput if there are fewer.
  template <typename T>
  void Take(std::vector<T>& values) {
    Take(std::as_writable_bytes(std::span(values)));
  }
  void Take(std::span<std::byte> target);
  // The next `count` values. Throws kInput, before it asks for memory, if there are fewer.
  template <typename T>
  std::vector<T> Take(uint64_t count) {
    RequireAtLeast(count, sizeof(T));
    std::vector<T> values(count);
    Take(values);
    return values;
  }
  // Throws kInput unless so many bytes of data were not taken yet.
  void RequireLeft(uint64_t bytes) const;

 private:
  explicit Record(MappedFile file);
  void RequireAtLeast(uint64_t count, size_t size) const;

  MappedFile file_;
  std::span<const std::byte> data_;  // that was not taken yet
  Json description_;
};

}  // namespace paroquant::io

#endif  // PAROQUANT_IO_RECORD_FILE_H_
