// Whole text files, gzip-compressed or not, and their lines.
#ifndef PAROQUANT_IO_TEXT_FILE_H_
#define PAROQUANT_IO_TEXT_FILE_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace paroquant::io {

// Far above what a corpus holds, far below what a small compressed file can unpack to.
inline constexpr uint64_t kMaxTextBytes = uint64_t{4} << 30;

// The bytes of a file, unpacked if its name ends in ".gz" (all members of it, one after the
// other). Pipes and devices are read to their end. Throws kSystem; kInput if the file holds more
// than `max_bytes` or is no whole gzip file.
std::string ReadTextFile(const std::filesystem::path& path, uint64_t max_bytes = kMaxTextBytes);

// Calls visit(line, number) for every line of `text`: numbered from 1, without its "\n" or "\r\n".
// What follows the last line end is a line if it is not empty.
void ForEachLine(std::string_view text,
                 const std::function<void(std::string_view, int64_t)>& visit);

}  // namespace paroquant::io

#endif  // PAROQUANT_IO_TEXT_FILE_H_
