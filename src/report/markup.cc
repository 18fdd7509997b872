#include "report/markup.h"

#include <cassert>
#include <cstddef>
#include <cstdint>

#include "paroquant/base/utf8.h"

namespace paroquant::report {
namespace {

constexpr char kReplacement[] = "\xEF\xBF\xBD";  // U+FFFD

// Bytes of the character that `text` begins with; 0 if that is none that may stand in a document.
size_t CharacterLength(std::string_view text) {
  const Utf8Sequence character = Utf8SequenceAt(text, 0);
  const auto first = static_cast<uint8_t>(text.front());
  const bool control = (first < 0x20 && first != '\t' && first != '\n') || first == 0x7F;
  const bool unassignable = text.starts_with("\xEF\xBF\xBE") || text.starts_with("\xEF\xBF\xBF");
  return character.valid && !control && !unassignable ? character.length : 0;
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
