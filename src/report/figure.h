// A chart as part of a page: the picture, what it shows in words, its legend and its numbers.
#ifndef PAROQUANT_REPORT_FIGURE_H_
#define PAROQUANT_REPORT_FIGURE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "report/markup.h"
#include "report/table.h"

namespace paroquant::report {

struct Caption {
  std::string title;
  std::string description;  // sentences for those who do not see the picture
};

// A number as attributes of SVG have it.
std::string Coordinate(double value);

// "series-1" and so on: the class of marks of a series, which gives them their colour.
std::string SeriesClass(size_t series);
// A dot of the series' shape and colour around a point of a picture, with a hint to show above it,
// or "".
Markup Marker(size_t series, double x, double y, const std::string& hint);
Markup Legend(const std::vector<std::string>& names);

// A picture of `height` units; all are kPictureWidth wide, so that letters have the same size.
inline constexpr double kPictureWidth = 360;
Markup Picture(const Caption& caption, double height, const Markup& marks);

// `numbers` holds what the picture shows and is folded away; `legend` may be empty.
Markup Figure(const Caption& caption, const Markup& picture, const Markup& legend,
              const Table& numbers);

}  // namespace paroquant::report

#endif  // PAROQUANT_REPORT_FIGURE_H_
