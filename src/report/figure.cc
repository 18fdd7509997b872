#include "report/figure.h"

#include <fmt/format.h>

namespace paroquant::report {
namespace {

constexpr size_t kColours = 6;  // that the style sheet has

// As many shapes as are told apart without colours.
Markup Shape(size_t series, double x, double y, const Attributes& attributes,
             const Markup& content) {
  const auto path = [&](const std::string& data) {
    Attributes all = attributes;
    all.push_back({"d", data});
    return Element("path", all, content);
  };
  switch (series % 4) {
    case 0: {
      Attributes all = attributes;
      all.insert(all.end(), {{"cx", Coordinate(x)}, {"cy", Coordinate(y)}, {"r", "3"}});
      return Element("circle", all, content);
    }
    case 1:
      return path(fmt::format("M{:.1f} {:.1f}h5.4v5.4h-5.4z", x - 2.7, y - 2.7));
    case 2:
      return path(fmt::format("M{:.1f} {:.1f}l3.8 3.8l-3.8 3.8l-3.8 -3.8z", x, y - 3.8));
    default:
      return path(fmt::format("M{:.1f} {:.1f}l3.6 6.2h-7.2z", x, y - 3.8));
  }
}

}  // namespace

std::string Coordinate(double value) {
  std::string text = fmt::format("{:.2f}", value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text == "-0" ? "0" : text;
}

std::string SeriesClass(size_t series) { return fmt::format("series-{}", series % kColours + 1); }

Markup Marker(size_t series, double x, double y, const std::string& hint) {
  const Markup title = hint.empty() ? Markup() : Element("title", hint);
  return Shape(series, x, y, {{"class", "marker " + SeriesClass(series)}}, title);
}

Markup Legend(const std::vector<std::string>& names) {
  Markup items;
  for (size_t i = 0; i < names.size(); ++i) {
    const Markup swatch =
        Element("svg", {{"class", "swatch"}, {"viewBox", "0 0 12 12"}, {"aria-hidden", "true"}},
                Marker(i, 6, 6, ""));
    items += Element("li", swatch + Element("span", BreakableText(names[i])));
  }
  return Element("ul", {{"class", "legend"}}, items);
}

Markup Picture(const Caption& caption, double height, const Markup& marks) {
  return Element("svg",
                 {{"class", "picture"},
                  {"role", "img"},
                  {"aria-label", caption.title + ". " + caption.description},
                  {"viewBox", fmt::format("0 0 {} {}", kPictureWidth, Coordinate(height))}},
                 Element("title", caption.title) + Element("desc", caption.description) + marks);
}

Markup Figure(const Caption& caption, const Markup& picture, const Markup& legend,
              const Table& numbers) {
  const Markup folded = Element("details", Element("summary", "Numbers") + Draw(numbers));
  return Element("figure",
                 Element("figcaption", BreakableText(caption.title)) + picture + legend + folded);
}

}  // namespace paroquant::report
