// A strict reader of the markup that reports are written in: what is not well-formed throws.
#ifndef PAROQUANT_TESTS_REPORT_XML_H_
#define PAROQUANT_TESTS_REPORT_XML_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace paroquant::report::testing {

struct XmlElement {
  std::string name;
  std::map<std::string, std::string> attributes;
  std::string text;  // of the element itself, without that of its children
  std::vector<XmlElement> children;

  // All elements below of a name, in the order of the document.
  std::vector<const XmlElement*> All(std::string_view name) const;
  // The text with that of all elements below.
  std::string AllText() const;
};

// The one element that a document consists of, after "<!DOCTYPE html>" if it begins with that.
// Throws std::runtime_error, saying where, for tags that do not match, attributes that are not
// quoted or there twice, '<' or '&' that are not escaped, unknown entities, and anything behind the
// element.
XmlElement ParseXml(std::string_view source);

}  // namespace paroquant::report::testing

#endif  // PAROQUANT_TESTS_REPORT_XML_H_
