#include "tests/report/xml.h"

#include <cctype>
#include <stdexcept>

namespace paroquant::report::testing {
namespace {

class Parser {
 public:
  explicit Parser(std::string_view source) : source_(source) {}

  XmlElement Document() {
    if (source_.starts_with("<!DOCTYPE html>")) at_ = 15;
    SkipSpace();
    XmlElement root = Element();
    SkipSpace();
    Require(at_ == source_.size(), "the end");
    return root;
  }

 private:
  void Require(bool holds, const std::string& expected) const {
    if (holds) return;
    throw std::runtime_error("at byte " + std::to_string(at_) + ": expected " + expected +
                             ", found \"" + std::string(source_.substr(at_, 40)) + "\"");
  }
  bool Next(std::string_view text) const { return source_.substr(at_).starts_with(text); }
  void Take(std::string_view text) {
    Require(Next(text), std::string(text));
    at_ += text.size();
  }
  void SkipSpace() {
    while (at_ < source_.size() && std::isspace(static_cast<unsigned char>(source_[at_])) != 0)
      ++at_;
  }
  std::string Name() {
    const size_t first = at_;
    while (at_ < source_.size() &&
           (std::isalnum(static_cast<unsigned char>(source_[at_])) != 0 || source_[at_] == '-'))
      ++at_;
    Require(at_ > first, "a name");
    return std::string(source_.substr(first, at_ - first));
  }

  // Text up to, without, the character `end`.
  std::string TextUpTo(char end) {
    std::string text;
    while (true) {
      Require(at_ < source_.size(), std::string(1, end));
      const char c = source_[at_];
      if (c == end) return text;
      Require(c != '<', "text without <");
      if (c == '&') {
        text += Entity();
      } else {
        text += c;
        ++at_;
      }
    }
  }
  char Entity() {
    const std::map<std::string_view, char> known = {
        {"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}, {"&quot;", '"'}, {"&#39;", '\''}};
    for (const auto& [entity, character] : known) {
      if (!Next(entity)) continue;
      at_ += entity.size();
      return character;
    }
    Require(false, "a known entity");
    return 0;
  }

  XmlElement Element() {
    XmlElement element;
    Take("<");
    element.name = Name();
    while (!Next(">") && !Next("/>")) {
      Take(" ");
      const std::string name = Name();
      Take("=\"");
      Require(element.attributes.emplace(name, TextUpTo('"')).second, "an attribute once");
      Take("\"");
    }
    if (Next("/>")) {
      at_ += 2;
      return element;
    }
    Take(">");
    while (true) {
      element.text += TextUpTo('<');
      if (Next("</")) break;
      element.children.push_back(Element());
    }
    Take("</" + element.name + ">");
    return element;
  }

  std::string_view source_;
  size_t at_ = 0;
};

}  // namespace

std::vector<const XmlElement*> XmlElement::All(std::string_view wanted) const {
  std::vector<const XmlElement*> found;
  for (const XmlElement& child : children) {
    if (child.name == wanted) found.push_back(&child);
    for (const XmlElement* below : child.All(wanted)) found.push_back(below);
  }
  return found;
}

std::string XmlElement::AllText() const {
  std::string all = text;
  for (const XmlElement& child : children) all += child.AllText();
  return all;
}

XmlElement ParseXml(std::string_view source) { return Parser(source).Document(); }

}  // namespace paroquant::report::testing
