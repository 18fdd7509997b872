#ifndef PAROQUANT_BASE_CHECKSUM_H_
#define PAROQUANT_BASE_CHECKSUM_H_

#include <cstddef>
#include <cstdint>
#include <span>

namespace paroquant {

// CRC-32 as zlib and PNG have it. With the checksum of other bytes as `before`, that of those bytes
// followed by these. Changes with any single bit, and with any damage that spans up to 32 bits.
uint32_t Crc32(std::span<const std::byte> bytes, uint32_t before = 0);

// The checksum of bytes that are followed by `size` others, by the checksums of both.
uint32_t JoinCrc32(uint32_t before, uint32_t after, size_t size);

}  // namespace paroquant

#endif  // PAROQUANT_BASE_CHECKSUM_H_
