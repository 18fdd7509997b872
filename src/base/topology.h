// Which processors are threads of the same core.
#ifndef PAROQUANT_BASE_TOPOLOGY_H_
#define PAROQUANT_BASE_TOPOLOGY_H_

#include <filesystem>
#include <span>

namespace paroquant {

// How many cores these processors belong to, by `cpus`, a folder like /sys/devices/system/cpu. A
// processor that it says nothing of counts as a core.
int CountCores(std::span<const int> processors, const std::filesystem::path& cpus);

}  // namespace paroquant

#endif  // PAROQUANT_BASE_TOPOLOGY_H_
