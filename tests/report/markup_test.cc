#include "report/markup.h"

#include <gtest/gtest.h>

namespace paroquant::report {
namespace {

TEST(MarkupTest, TextIsEscapedWhereverItStands) {
  EXPECT_EQ(Text("a<b>&\"c\" 'd'").source(), "a&lt;b&gt;&amp;&quot;c&quot; &#39;d&#39;");
  const Markup element = Element("p", {{"title", "\"><script>"}}, Text("</p>"));
  EXPECT_EQ(element.source(), "<p title=\"&quot;&gt;&lt;script&gt;\">&lt;/p&gt;</p>");
}

TEST(MarkupTest, WhatIsNoTextShowsAsAReplacement) {
  const std::string replacement = "\xEF\xBF\xBD";
  EXPECT_EQ(Text("\u00e4 \u6f22 \U0001F600").source(), "\u00e4 \u6f22 \U0001F600");
  EXPECT_EQ(Text(std::string_view("a\0b\x1B\x7F", 5)).source(),
            "a" + replacement + "b" + replacement + replacement);
  for (const char* bad : {"\x80", "\xC0\xAF", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xE2\x82"}) {
    EXPECT_EQ(Text(bad).source().substr(0, 3), replacement) << bad;
    EXPECT_EQ(Text(bad).source().find(bad), std::string::npos);
  }
}

TEST(MarkupTest, LongNamesBreakBehindDotsAndSlashes) {
  EXPECT_EQ(BreakableText("a.b/<c").source(), "a.<wbr/>b/<wbr/>&lt;c");
  EXPECT_EQ(BreakableText("").source(), "");
}

TEST(MarkupTest, ElementsNestAndCloseThemselves) {
  EXPECT_EQ(Element("g", Element("line", Attributes{{"x1", "2"}}) + Element("b", "c")).source(),
            "<g><line x1=\"2\"/><b>c</b></g>");
}

}  // namespace
}  // namespace paroquant::report
