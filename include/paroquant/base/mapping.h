// Which file a place in memory belongs to.
#ifndef PAROQUANT_BASE_MAPPING_H_
#define PAROQUANT_BASE_MAPPING_H_

#include <span>
#include <string_view>

namespace paroquant {

// The path of the file that is mapped at `address`, as far as it fits into `storage`; empty if none
// is, or where the system does not tell. Allocates nothing and takes no lock: a handler of signals
// may call it, to say which file it is whose bytes could not be read.
std::string_view MappedFileAt(const void* address, std::span<char> storage);

}  // namespace paroquant

#endif  // PAROQUANT_BASE_MAPPING_H_
