#include "report/page.h"

#include <fmt/format.h>

#include "paroquant/base/version.h"
#include "report/style.h"

namespace paroquant::report {
namespace {

Markup Head(const Page& page) {
  return Element("head", Element("meta", Attributes{{"charset", "utf-8"}}) +
                             Element("meta", {{"name", "viewport"},
                                              {"content", "width=device-width, initial-scale=1"}}) +
                             Element("meta", {{"name", "generator"},
                                              {"content", fmt::format("paroquant {}", kVersion)}}) +
                             Element("title", page.title + " \u2013 " + page.kind) +
                             StyleElement(kStyleSheet));
}

Markup Contents(const std::vector<Section>& sections) {
  Markup items;
  for (const Section& section : sections) {
    const std::string target = std::string("#") + section.id;
    items += Element("li", Element("a", {{"href", target}}, Text(section.title)));
  }
  return Element("nav", {{"aria-label", "Contents"}}, Element("ul", items));
}

Markup Draw(const Section& section) {
  const std::string heading = std::string(section.id) + "-heading";
  return Element("section", {{"id", section.id}, {"aria-labelledby", heading}},
                 Element("h2", {{"id", heading}}, Text(section.title)) + section.content);
}

Markup Description(const std::vector<Fact>& facts, const char* style) {
  Markup entries;
  for (const Fact& fact : facts) {
    Markup value = Element("span", {{"class", "value"}}, BreakableText(fact.value));
    if (!fact.detail.empty()) {
      value += Element("div", {{"class", "detail"}}, Text(fact.detail));
    }
    entries += Element("div", Element("dt", fact.label) + Element("dd", value));
  }
  return Element("dl", {{"class", style}}, entries);
}

}  // namespace

std::string Write(const Page& page) {
  const Markup header =
      Element("header", Element("p", {{"class", "kind"}}, Text(page.kind)) +
                            Element("h1", BreakableText(page.title)) + Contents(page.sections));
  Markup content = page.lead;
  for (const Section& section : page.sections) content += Draw(section);
  const Markup footer = Element("footer", fmt::format("Written by paroquant {}", kVersion));
  const Markup body = Element("body", header + Element("main", content) + footer);
  return "<!DOCTYPE html>\n" + Element("html", {{"lang", "en"}}, Head(page) + body).source() + "\n";
}

Markup Paragraph(const std::string& text) { return Element("p", text); }

Markup Tiles(const std::vector<Fact>& facts) { return Description(facts, "tiles"); }
Markup FactList(const std::vector<Fact>& facts) { return Description(facts, "facts"); }

Markup List(const std::vector<std::string>& items) {
  Markup content;
  for (const std::string& item : items) content += Element("li", BreakableText(item));
  return Element("ul", content);
}

Markup Code(const std::string& text) { return Element("pre", Element("code", text)); }

Markup Grid(const Markup& figures) { return Element("div", {{"class", "grid"}}, figures); }
Markup PairGrid(const Markup& figures) { return Element("div", {{"class", "grid pair"}}, figures); }

}  // namespace paroquant::report
