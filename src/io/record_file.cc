#include "paroquant/io/record_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "paroquant/base/checksum.h"
#include "paroquant/base/error.h"
#include "paroquant/base/folder.h"

namespace paroquant::io {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMagic = "PQRECRD1";

// What a record ends in: the sizes of the JSON and of the whole file, and the checksum of all
// before it.
constexpr uint64_t kTrailer = 2 * sizeof(uint64_t) + sizeof(uint32_t);

template <typename T>
std::span<const std::byte> BytesOf(const T& value) {
  return std::as_bytes(std::span(&value, 1));
}

template <typename T>
T ReadAt(std::span<const std::byte> bytes, uint64_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

std::string_view Text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Error Damaged(const fs::path& path, std::string expected, std::string found) {
  return Error(ErrorKind::kInput, {.where = path.string(),
                                   .expected = std::move(expected),
                                   .found = std::move(found),
                                   .hint = "The file was cut off or damaged."});
}

void RequireWhole(const MappedFile& file) {
  const std::span<const std::byte> bytes = file.bytes();
  if (bytes.size() < kMagic.size() + kTrailer) {
    throw Damaged(file.path(), "a whole record", fmt::format("{} bytes", bytes.size()));
  }
  if (Text(bytes).substr(0, kMagic.size()) != kMagic) {
    throw Damaged(file.path(), "a record", "other first bytes");
  }
  const uint64_t sums_end = bytes.size() - sizeof(uint32_t);
  const auto size = ReadAt<uint64_t>(bytes, sums_end - sizeof(uint64_t));
  if (size != bytes.size()) {
    throw Damaged(file.path(), fmt::format("{} bytes", size),
                  fmt::format("{} bytes", bytes.size()));
  }
  const auto expected = ReadAt<uint32_t>(bytes, sums_end);
  const uint32_t found = Crc32(bytes.first(sums_end));
  if (found != expected) {
    throw Damaged(file.path(), fmt::format("the checksum {:08x}", expected),
                  fmt::format("{:08x}", found));
  }
}

}  // namespace

RecordWriter::RecordWriter(fs::path path)
    : path_(std::move(path)), temporary_(path_.string() + kUnfinishedRecord), file_(temporary_) {
  Write(std::as_bytes(std::span(kMagic)));
}

RecordWriter::~RecordWriter() {
  std::error_code ignored;
  if (!committed_) fs::remove(temporary_, ignored);
}

void RecordWriter::Append(std::span<const std::byte> data) { Write(data); }

void RecordWriter::Write(std::span<const std::byte> bytes) {
  file_.WriteAt(size_, bytes);
  checksum_ = Crc32(bytes, checksum_);
  size_ += bytes.size();
}

void RecordWriter::Commit(const Json& description) {
  // Names of files need not be UTF-8.
  const std::string text = description.dump(-1, ' ', false, Json::error_handler_t::replace);
  Write(std::as_bytes(std::span(text)));
  Write(BytesOf(uint64_t{text.size()}));
  Write(BytesOf(uint64_t{size_ + sizeof(uint64_t) + sizeof(uint32_t)}));
  Write(BytesOf(uint32_t{checksum_}));
  file_.Sync();
  file_.Close();
  std::error_code error;
  fs::rename(temporary_, path_, error);
  if (error) throw SystemError(path_.string(), "put this file in place", error.value());
  committed_ = true;
  SyncFolder(path_.parent_path());
}

std::optional<Record> Record::Open(const fs::path& path) {
  if (!Exists(path)) return std::nullopt;
  return Record(MappedFile(path));
}

Record::Record(MappedFile file) : file_(std::move(file)) {
  RequireWhole(file_);
  const std::span<const std::byte> bytes = file_.bytes();
  const uint64_t end = bytes.size() - kTrailer;
  const uint64_t json = ReadAt<uint64_t>(bytes, end);
  if (json > end - kMagic.size()) {
    throw Damaged(file_.path(), "a description inside the file", fmt::format("{} bytes", json));
  }
  description_ = ParseJson(Text(bytes.subspan(end - json, json)), file_.path().string());
  data_ = bytes.subspan(kMagic.size(), end - json - kMagic.size());
}

void Record::RequireAtLeast(uint64_t count, size_t size) const {
  if (count <= data_.size() / size) return;
  throw Damaged(file_.path(), fmt::format("{} more values of {} bytes", count, size),
                fmt::format("{} bytes", data_.size()));
}

void Record::Take(std::span<std::byte> target) {
  RequireAtLeast(target.size(), 1);
  std::ranges::copy(data_.first(target.size()), target.begin());
  data_ = data_.subspan(target.size());
}

void Record::RequireLeft(uint64_t bytes) const {
  if (data_.size() == bytes) return;
  throw Damaged(file_.path(), fmt::format("{} more bytes of data", bytes),
                fmt::format("{}", data_.size()));
}

}  // namespace paroquant::io
