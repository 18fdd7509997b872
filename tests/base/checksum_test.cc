#include "paroquant/base/checksum.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace paroquant {
namespace {

std::span<const std::byte> Bytes(const std::string& text) { return std::as_bytes(std::span(text)); }

TEST(ChecksumTest, IsTheCommonCrc32) {
  EXPECT_EQ(Crc32(Bytes("123456789")), 0xCBF43926U);  // the check value of its definition
  EXPECT_EQ(Crc32({}), 0U);
}

TEST(ChecksumTest, GoesOnFromWhatComesBefore) {
  EXPECT_EQ(Crc32(Bytes("6789"), Crc32(Bytes("12345"))), 0xCBF43926U);
  EXPECT_EQ(Crc32({}, 0xCBF43926U), 0xCBF43926U);
}

TEST(ChecksumTest, DoesNotDependOnHowLongInputIsCut) {
  std::vector<std::byte> bytes((40U << 20) + 12345);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * i >> 7U);
  const std::span all(bytes);
  uint32_t sum = 0;
  for (size_t first = 0; first < all.size(); first += 1'000'003) {
    sum = Crc32(all.subspan(first, std::min<size_t>(1'000'003, all.size() - first)), sum);
  }
  EXPECT_EQ(Crc32(all), sum);
}

}  // namespace
}  // namespace paroquant
