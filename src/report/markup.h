// Pieces of HTML and SVG that are well-formed by construction: text gets in escaped or not at all.
#ifndef PAROQUANT_REPORT_MARKUP_H_
#define PAROQUANT_REPORT_MARKUP_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace paroquant::report {

struct Attribute {
  const char* name;
  std::string value;  // any text
};
using Attributes = std::vector<Attribute>;

class Markup {
 public:
  Markup() = default;

  Markup& operator+=(const Markup& other) {
    source_ += other.source_;
    return *this;
  }
  friend Markup operator+(Markup left, const Markup& right) { return left += right; }

  bool empty() const { return source_.empty(); }
  const std::string& source() const { return source_; }

 private:
  explicit Markup(std::string source) : source_(std::move(source)) {}
  friend Markup Text(std::string_view text);
  friend Markup BreakableText(std::string_view text);
  friend Markup Element(const char* tag, const Attributes& attributes, const Markup& content);
  friend Markup StyleElement(std::string_view css);

  std::string source_;
};

// Shows as `text`, whatever that holds; bytes that are not UTF-8 and control characters show as
// U+FFFD.
Markup Text(std::string_view text);
// The same with places to break long names of modules and paths: behind dots and slashes.
Markup BreakableText(std::string_view text);

// An element; closed in itself if it has no content.
Markup Element(const char* tag, const Attributes& attributes, const Markup& content);
inline Markup Element(const char* tag, const Attributes& attributes) {
  return Element(tag, attributes, Markup());
}
inline Markup Element(const char* tag, const Markup& content) { return Element(tag, {}, content); }
inline Markup Element(const char* tag, std::string_view text) { return Element(tag, Text(text)); }

// A <style> of CSS that holds neither '<' nor '&'.
Markup StyleElement(std::string_view css);

}  // namespace paroquant::report

#endif  // PAROQUANT_REPORT_MARKUP_H_
