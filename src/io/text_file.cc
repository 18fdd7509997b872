#include "paroquant/io/text_file.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <limits>
#include <new>
#include <span>
#include <system_error>

#include "paroquant/base/error.h"
#include "paroquant/base/file.h"

namespace paroquant::io {
namespace {

// Unpacks the members of a gzip file one after the other.
class Gunzip {
 public:
  Gunzip(const std::filesystem::path& path, std::span<const std::byte> packed, uint64_t max_bytes)
      : path_(path), packed_(packed), max_bytes_(max_bytes) {
    constexpr int kGzipOnly = 16;  // added to the window's size
    if (inflateInit2(&stream_, MAX_WBITS + kGzipOnly) != Z_OK) throw std::bad_alloc();
  }
  Gunzip(const Gunzip&) = delete;
  Gunzip& operator=(const Gunzip&) = delete;
  ~Gunzip() { inflateEnd(&stream_); }

  std::string Run() {
    do {
      inflateReset(&stream_);
      UnpackMember();
    } while (!packed_.empty() || stream_.avail_in > 0);
    return std::move(text_);
  }

 private:
  void UnpackMember() {
    int status = Z_OK;
    while (status != Z_STREAM_END) {
      Refill();
      stream_.next_out = buffer_.data();
      stream_.avail_out = static_cast<uInt>(buffer_.size());
      status = inflate(&stream_, Z_NO_FLUSH);
      if (status == Z_MEM_ERROR) throw std::bad_alloc();
      if (status == Z_BUF_ERROR) Fail("its end missing");
      if (status != Z_OK && status != Z_STREAM_END) {
        Fail(stream_.msg == nullptr ? "damaged data" : stream_.msg);
      }
      TakeOutput();
    }
  }

  // zlib counts the input in 32 bits: a large file is handed over in parts.
  void Refill() {
    if (stream_.avail_in > 0 || packed_.empty()) return;
    const size_t part = std::min<size_t>(packed_.size(), std::numeric_limits<uInt>::max());
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed_.data()));
    stream_.avail_in = static_cast<uInt>(part);
    packed_ = packed_.subspan(part);
  }

  void TakeOutput() {
    const size_t count = buffer_.size() - stream_.avail_out;
    if (count > max_bytes_ - text_.size()) {
      throw Error(ErrorKind::kInput,
                  {.where = path_.string(),
                   .expected = fmt::format("at most {} bytes once unpacked", max_bytes_),
                   .found = "more",
                   .hint = "Split the file."});
    }
    text_.append(reinterpret_cast<const char*>(buffer_.data()), count);
  }

  [[noreturn]] void Fail(const std::string& found) const {
    throw Error(ErrorKind::kInput, {.where = path_.string(),
                                    .expected = "a whole gzip file",
                                    .found = found,
                                    .hint = "The file is damaged; fetch it again."});
  }

  const std::filesystem::path& path_;
  std::span<const std::byte> packed_;  // what zlib has not been handed yet
  uint64_t max_bytes_;
  z_stream stream_{};
  std::array<Bytef, size_t{1} << 16> buffer_;
  std::string text_;
};

bool IsStream(const std::filesystem::path& path) {
  std::error_code ignored;
  const auto status = std::filesystem::status(path, ignored);
  return std::filesystem::is_fifo(status) || std::filesystem::is_character_file(status);
}

std::string ReadStream(const std::filesystem::path& path, uint64_t max_bytes) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw SystemError(path.string(), "open", errno);
  std::string text;
  std::array<char, size_t{1} << 16> buffer;
  while (stream.read(buffer.data(), buffer.size()) || stream.gcount() > 0) {
    text.append(buffer.data(), static_cast<size_t>(stream.gcount()));
    if (text.size() <= max_bytes) continue;
    throw Error(ErrorKind::kInput, {.where = path.string(),
                                    .expected = fmt::format("at most {} bytes", max_bytes),
                                    .found = "more",
                                    .hint = "Is this the right file?"});
  }
  if (stream.bad()) throw SystemError(path.string(), "read", errno);
  return text;
}

}  // namespace

std::string ReadTextFile(const std::filesystem::path& path, uint64_t max_bytes) {
  if (IsStream(path)) return ReadStream(path, max_bytes);
  if (path.extension() != ".gz") return ReadFile(path, max_bytes);
  const MappedFile file(path);
  return Gunzip(path, file.bytes(), max_bytes).Run();
}

void ForEachLine(std::string_view text,
                 const std::function<void(std::string_view, int64_t)>& visit) {
  for (int64_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    visit(line, number);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

}  // namespace paroquant::io
