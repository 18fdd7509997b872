#include "tests/io/test_files.h"

#include <fmt/format.h>

#include "paroquant/base/file.h"

namespace paroquant::io {

std::string FileBytes(std::string_view header, size_t data_size) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(header.size() >> (8 * i));
  bytes += header;
  for (size_t i = 0; i < data_size; ++i) bytes += static_cast<char>(i);
  return bytes;
}

void WriteSmallFile(const std::filesystem::path& path, const std::set<std::string>& names) {
  std::string header = "{";
  size_t position = 0;
  for (const std::string& name : names) {
    if (position > 0) header += ',';
    header += fmt::format(R"("{}":{{"dtype":"F32","shape":[1],"data_offsets":[{},{}]}})", name,
                          position, position + 4);
    position += 4;
  }
  WriteFile(path, FileBytes(header + '}', position));
}

std::set<std::string> NamesIn(const std::filesystem::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    names.insert(entry.path().filename().string());
  }
  return names;
}

}  // namespace paroquant::io
