#include "text/byte_level.h"

#include <array>
#include <cstdint>

#include "text/unicode.h"

namespace paroquant::text {
namespace {

constexpr int kByteCount = 256;
constexpr int kFirstSubstitute = 0x100;
constexpr int kNoByte = -1;

constexpr bool StandsForItself(int byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte != 0xAD);
}

struct Tables {
  std::array<std::string, kByteCount> characters;  // of a byte, UTF-8
  // By character: below U+0144 lie 256 that stand for a byte and 68 that do not.
  std::array<int16_t, kFirstSubstitute + 68> bytes;

  Tables() {
    bytes.fill(kNoByte);
    int substitute = kFirstSubstitute;
    for (int byte = 0; byte < kByteCount; ++byte) {
      const int character = StandsForItself(byte) ? byte : substitute++;
      AppendUtf8(static_cast<char32_t>(character), characters[byte]);
      bytes[character] = static_cast<int16_t>(byte);
    }
  }
};

const Tables& ByteTables() {
  static const Tables tables;
  return tables;
}

}  // namespace

void AppendByteLevel(std::string_view bytes, std::string& characters) {
  const Tables& tables = ByteTables();
  for (const char byte : bytes) characters += tables.characters[static_cast<unsigned char>(byte)];
}

void AppendBytes(std::string_view characters, std::string& bytes) {
  const Tables& tables = ByteTables();
  const size_t start = bytes.size();
  for (size_t position = 0; position < characters.size();) {
    const char32_t character = NextCharacter(characters, position);
    const int byte = character < tables.bytes.size() ? tables.bytes[character] : kNoByte;
    if (byte == kNoByte) {
      bytes.resize(start);
      bytes.append(characters);
      return;
    }
    bytes.push_back(static_cast<char>(byte));
  }
}

}  // namespace paroquant::text
