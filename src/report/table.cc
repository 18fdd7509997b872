#include "report/table.h"

#include <cassert>

namespace paroquant::report {
namespace {

Attributes CellAttributes(const Column& column) {
  return column.kind == ColumnKind::kNumber ? Attributes{{"class", "number"}} : Attributes{};
}

Markup Head(const std::vector<Column>& columns) {
  Markup cells;
  for (const Column& column : columns) {
    Attributes attributes = CellAttributes(column);
    attributes.push_back({"scope", "col"});
    cells += Element("th", attributes, Text(column.title));
  }
  return Element("thead", Element("tr", cells));
}

Markup Row(const std::vector<Column>& columns, const std::vector<std::string>& row) {
  assert(row.size() == columns.size());
  Markup cells = Element("th", {{"scope", "row"}}, BreakableText(row.front()));
  for (size_t i = 1; i < row.size(); ++i) {
    // A cell without content would be closed in itself, which HTML does not know.
    cells += Element("td", CellAttributes(columns[i]), Text(row[i].empty() ? " " : row[i]));
  }
  return Element("tr", cells);
}

}  // namespace

Markup Draw(const Table& table) {
  Markup rows;
  for (const auto& row : table.rows) rows += Row(table.columns, row);
  const Markup content = Element("caption", Element("span", table.caption)) + Head(table.columns) +
                         Element("tbody", rows);
  // What scrolls has to be in reach of the keyboard.
  return Element("div",
                 {{"class", "scroll"},
                  {"role", "region"},
                  {"tabindex", "0"},
                  {"aria-label", "Table: " + table.caption}},
                 Element("table", content));
}

}  // namespace paroquant::report
