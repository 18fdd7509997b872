#include "paroquant/base/memory_use.h"

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "base/memory_limit.h"

namespace paroquant {
namespace {

constexpr int64_t kKibibyte = 1024;

uint64_t Pages(int name) {
  return static_cast<uint64_t>(::sysconf(name)) * static_cast<uint64_t>(::sysconf(_SC_PAGE_SIZE));
}

}  // namespace

int64_t ResidentMemory() {
  std::ifstream file("/proc/self/statm");
  int64_t size = 0;
  int64_t resident = 0;
  return file >> size >> resident ? resident * ::sysconf(_SC_PAGE_SIZE) : PeakResidentMemory();
}

int64_t PeakResidentMemory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss * kKibibyte;
}

void ReleaseFreedMemory() { ::malloc_trim(0); }

uint64_t MemoryLimit() {
  return std::min(Pages(_SC_PHYS_PAGES), ControlGroupMemory("/sys/fs/cgroup", "/proc/self/cgroup"));
}

uint64_t AvailableMemory() {
  std::ifstream file("/proc/meminfo");
  uint64_t kibibytes = 0;
  for (std::string word; file >> word;) {
    if (word == "MemAvailable:" && file >> kibibytes) break;
  }
  const uint64_t machine = kibibytes > 0 ? kibibytes * kKibibyte : Pages(_SC_AVPHYS_PAGES);
  return std::min(machine, MemoryLimit());
}

}  // namespace paroquant
