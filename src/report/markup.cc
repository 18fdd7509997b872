#include "report/markup.h"

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>

namespace paroquant::report {
namespace {

constexpr char kReplacement[] = "\xEF\xBF\xBD";  // U+FFFD

// What the first byte of a character in UTF-8 says of it.
struct Lead {
  uint8_t mask;    // of the bits that tell the length
  uint8_t bits;    // what they are
  size_t length;   // in bytes
  uint32_t least;  // code point that takes so many
};
constexpr std::array<Lead, 4> kLeads = {
    {{0x80, 0x00, 1, 0}, {0xE0, 0xC0, 2, 0x80}, {0xF0, 0xE0, 3, 0x800}, {0xF8, 0xF0, 4, 0x10000}}};

// May the code point stand in a document?
bool IsShown(uint32_t point) {
  if (point < 0x20) return point == '\t' || point == '\n';
  return point != 0x7F && (point < 0xD800 || point > 0xDFFF) && point != 0xFFFE &&
         point != 0xFFFF && point <= 0x10FFFF;
}

// Bytes of the character that `text` begins with; 0 if that is none that may be shown.
size_t CharacterLength(std::string_view text) {
  const auto first = static_cast<uint8_t>(text.front());
  for (const Lead& lead : kLeads) {
    if ((first & lead.mask) != lead.bits) continue;
    if (text.size() < lead.length) return 0;
    uint32_t point = first & static_cast<uint8_t>(~lead.mask);
    for (size_t i = 1; i < lead.length; ++i) {
      const auto next = static_cast<uint8_t>(text[i]);
      if ((next & 0xC0U) != 0x80) return 0;
      point = (point << 6U) | (next & 0x3FU);
    }
    return point >= lead.least && IsShown(point) ? lead.length : 0;
  }
  return 0;
}

void AppendEscaped(std::string_view character, std::string& result) {
  switch (character.front()) {
    case '<':
      result += "&lt;";
      return;
    case '>':
      result += "&gt;";
      return;
    case '&':
      result += "&amp;";
      return;
    case '"':
      result += "&quot;";
      return;
    case '\'':
      result += "&#39;";
      return;
    default:
      result += character;
  }
}

std::string Escape(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const size_t length = CharacterLength(text);
    if (length == 0) {
      result += kReplacement;
    } else {
      AppendEscaped(text.substr(0, length), result);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return result;
}

}  // namespace

Markup Text(std::string_view text) { return Markup(Escape(text)); }

Markup BreakableText(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const size_t end = text.find_first_of("./");
    const size_t length = end == std::string_view::npos ? text.size() : end + 1;
    result += Escape(text.substr(0, length));
    text.remove_prefix(length);
    if (!text.empty()) result += "<wbr/>";
  }
  return Markup(std::move(result));
}

Markup Element(const char* tag, const Attributes& attributes, const Markup& content) {
  std::string source = std::string("<") + tag;
  for (const Attribute& attribute : attributes) {
    source += std::string(" ") + attribute.name + "=\"" + Escape(attribute.value) + "\"";
  }
  if (content.empty()) return Markup(source + "/>");
  return Markup(source + ">" + content.source() + "</" + tag + ">");
}

Markup StyleElement(std::string_view css) {
  assert(css.find_first_of("<&") == std::string_view::npos);
  return Markup("<style>" + std::string(css) + "</style>");
}

}  // namespace paroquant::report
