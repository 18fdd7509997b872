#include "paroquant/base/checksum.h"

#include <zlib.h>

#include <algorithm>
#include <vector>

#include "paroquant/base/parallel.h"

namespace paroquant {
namespace {

// Pieces that threads work on: whole model files are summed.
constexpr size_t kPiece = size_t{16} << 20;

uint32_t PieceChecksum(std::span<const std::byte> bytes) {
  return static_cast<uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace

uint32_t Crc32(std::span<const std::byte> bytes, uint32_t before) {
  const auto piece = [&](size_t index) {
    return bytes.subspan(index * kPiece, std::min(kPiece, bytes.size() - index * kPiece));
  };
  std::vector<uint32_t> sums((bytes.size() + kPiece - 1) / kPiece);
  ParallelFor(static_cast<int64_t>(sums.size()), [&](int64_t i) {
    const auto index = static_cast<size_t>(i);
    sums[index] = PieceChecksum(piece(index));
  });
  for (size_t i = 0; i < sums.size(); ++i) before = JoinCrc32(before, sums[i], piece(i).size());
  return before;
}

uint32_t JoinCrc32(uint32_t before, uint32_t after, size_t size) {
  return static_cast<uint32_t>(crc32_combine(before, after, static_cast<z_off_t>(size)));
}

}  // namespace paroquant
