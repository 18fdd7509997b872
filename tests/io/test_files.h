// Small safetensors files, good and bad.
#ifndef PAROQUANT_TESTS_IO_TEST_FILES_H_
#define PAROQUANT_TESTS_IO_TEST_FILES_H_

#include <filesystem>
#include <set>
#include <string>
#include <string_view>

namespace paroquant::io {

// A file's bytes: the length of `header`, `header` itself and `data_size` bytes 0, 1, 2, ...
std::string FileBytes(std::string_view header, size_t data_size);

// Writes such a file with one F32 tensor of one element for each name.
void WriteSmallFile(const std::filesystem::path& path, const std::set<std::string>& names);

// The names of everything in a folder.
std::set<std::string> NamesIn(const std::filesystem::path& folder);

}  // namespace paroquant::io

#endif  // PAROQUANT_TESTS_IO_TEST_FILES_H_
