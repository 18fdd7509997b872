// How much memory the control groups of Linux let this process have.
#ifndef PAROQUANT_BASE_MEMORY_LIMIT_H_
#define PAROQUANT_BASE_MEMORY_LIMIT_H_

#include <cstdint>
#include <filesystem>

namespace paroquant {

// The least limit in bytes of the groups that a process belongs to, or the greatest number if none
// has one. `groups` is a folder like /sys/fs/cgroup, `membership` a file like /proc/self/cgroup;
// either may be absent. Knows version 2, and of version 1 the limit of a container.
uint64_t ControlGroupMemory(const std::filesystem::path& groups,
                            const std::filesystem::path& membership);

}  // namespace paroquant

#endif  // PAROQUANT_BASE_MEMORY_LIMIT_H_
