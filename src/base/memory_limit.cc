#include "base/memory_limit.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>
#include <string_view>

namespace paroquant {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kNone = std::numeric_limits<uint64_t>::max();

// The number in a file; none for "max", and where there is no such file.
uint64_t ReadLimit(const fs::path& path) {
  std::ifstream file(path);
  uint64_t limit = 0;
  return file >> limit ? limit : kNone;
}

// The group of version 2, "0::/some/group", without the leading slash.
fs::path OwnGroup(const fs::path& membership) {
  constexpr std::string_view kVersion2 = "0::/";
  std::ifstream file(membership);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(kVersion2)) return line.substr(kVersion2.size());
  }
  return {};
}

}  // namespace

uint64_t ControlGroupMemory(const fs::path& groups, const fs::path& membership) {
  uint64_t least = std::min(ReadLimit(groups / "memory.max"),
                            ReadLimit(groups / "memory" / "memory.limit_in_bytes"));
  fs::path group = groups;
  for (const fs::path& part : OwnGroup(membership)) {
    group /= part;
    least = std::min(least, ReadLimit(group / "memory.max"));
  }
  return least;
}

}  // namespace paroquant
