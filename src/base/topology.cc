#include "base/topology.h"

#include <fmt/format.h>

#include <fstream>
#include <set>
#include <string>

namespace paroquant {

int CountCores(std::span<const int> processors, const std::filesystem::path& cpus) {
  std::set<std::string> cores;  // by the list of their threads, which is the same for each
  for (const int processor : processors) {
    std::ifstream file(cpus / fmt::format("cpu{}/topology/thread_siblings_list", processor));
    std::string siblings;
    cores.insert(std::getline(file, siblings) ? siblings : fmt::format("{}", processor));
  }
  return static_cast<int>(cores.size());
}

}  // namespace paroquant
