#include "paroquant/base/printable.h"

#include "paroquant/base/utf8.h"

namespace paroquant {
namespace {

// Of a valid character.
bool IsControl(std::string_view character) {
  const auto last = static_cast<unsigned char>(character.back());
  if (character.size() == 1) return last < 0x20 || last == 0x7F;
  if (character.size() == 2) return character.front() == '\xC2' && last < 0xA0;
  const auto between = [&](std::string_view first, std::string_view last_of_all) {
    return character.size() == first.size() && character >= first && character <= last_of_all;
  };
  // Ends of lines and paragraphs, changes of the direction of writing, noncharacters.
  return between("\u2028", "\u202E") || between("\u2066", "\u2069") || between("\uFFFE", "\uFFFF");
}

}  // namespace

std::string Printable(std::string_view text) {
  std::string printable;
  for (size_t position = 0; position < text.size();) {
    const Utf8Sequence sequence = Utf8SequenceAt(text, position);
    const std::string_view character = text.substr(position, sequence.length);
    printable += sequence.valid && !IsControl(character) ? character : "?";
    position += sequence.length;
  }
  return printable;
}

}  // namespace paroquant
