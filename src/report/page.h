// A page of HTML that needs nothing else: what all kinds of reports have in common.
#ifndef PAROQUANT_REPORT_PAGE_H_
#define PAROQUANT_REPORT_PAGE_H_

#include <string>
#include <vector>

#include "paroquant/report/page_data.h"
#include "report/markup.h"

namespace paroquant::report {

struct Section {
  const char* id;
  std::string title;
  Markup content;
};

struct Page {
  std::string kind;   // of report
  std::string title;  // what it is about
  Markup lead;        // before the sections
  std::vector<Section> sections;
};

std::string Write(const Page& page);

Markup Paragraph(const std::string& text);
// Large, for what is to be seen first.
Markup Tiles(const std::vector<Fact>& facts);
Markup FactList(const std::vector<Fact>& facts);
Markup List(const std::vector<std::string>& items);
// Lines to type, or another text that is to be copied as it is.
Markup Code(const std::string& text);
// Figures side by side where there is room.
Markup Grid(const Markup& figures);
Markup PairGrid(const Markup& figures);  // two in a row at most

}  // namespace paroquant::report

#endif  // PAROQUANT_REPORT_PAGE_H_
