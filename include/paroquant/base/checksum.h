#ifndef PAROQUANT_BASE_CHECKSUM_H_
#define PAROQUANT_BASE_CHECKSUM_H_

#include <cstddef>
#include <cstdint>
#include <span>

namespace paroquant {

// CRC-32 as zlib and PNG have it. With the checksum of other bytes as `before`, that of those bytes
// followed by these. Changes with any single bit, and with any damage that spans up to 32 bits.
uint32_t Crc32(std::span<const std::byte> bytes, uint32_t before = 0);

}  // namespace paroquant

#endif  // PAROQUANT_BASE_CHECKSUM_H_
