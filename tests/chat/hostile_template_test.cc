// Templates that want all time or memory.
#include <gtest/gtest.h>

#include <string>

#include "tests/chat/rendering.h"

namespace paroquant {
namespace {

using testing::RenderFault;

std::string Repeated(const std::string& text, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

TEST(HostileTemplateTest, WorkIsLimited) {
  const std::string loop = "{% for i in range(100000) %}";
  const std::string end = "{% endfor %}";
  for (const std::string& source :
       {loop + loop + loop + end + end + end,
        "{% set ns = namespace(a='x') %}" + loop + "{% set ns.a = ns.a ~ ns.a %}" + end,
        "{% set ns = namespace(a=[1]) %}" + loop + "{% set ns.a = ns.a + ns.a %}" + end,
        std::string("{{ 'x' * 9223372036854775807 }}"), std::string("{{ [1] * 999999999999 }}"),
        std::string("{{ 'a'|indent(9999999999999) }}"),
        "{% set x = 'x' * 1000000 %}" + loop + "{{ 'y' in x }}" + end}) {
    SCOPED_TRACE(source);
    EXPECT_EQ(RenderFault(source).kind(), ErrorKind::kUnsupported);
  }
  EXPECT_EQ(RenderFault("{{ range(100001) }}").kind(), ErrorKind::kInput);
}

TEST(HostileTemplateTest, DepthIsLimited) {
  const std::string loop = "{% for i in range(1000) %}";
  for (const std::string& source :
       {std::string("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"),
        "{{ " + Repeated("(", 5000) + "1" + Repeated(")", 5000) + " }}",
        "{{ " + Repeated("[", 5000) + Repeated("]", 5000) + " }}",
        "{{ " + Repeated("not ", 5000) + "1 }}", "{{ " + Repeated("-", 5000) + "1 }}",
        "{{ 1" + Repeated(" + 1", 5000) + " }}", "{{ a" + Repeated(".a", 5000) + " }}",
        "{{ 1" + Repeated(" if 1 else 1", 5000) + " }}", Repeated("{% if 1 %}", 5000),
        "{% set ns = namespace(a=[]) %}" + loop + "{% set ns.a = [ns.a] %}{% endfor %}",
        "{% set ns = namespace(a=[]) %}" + loop + "{% set ns.a = [ns.a]|select %}{% endfor %}",
        "{% set ns = namespace(a='a') %}" + loop + "{% set ns.a = [ns.a].index %}{% endfor %}"}) {
    SCOPED_TRACE(source.substr(0, 80));
    EXPECT_EQ(RenderFault(source).kind(), ErrorKind::kUnsupported);
  }
}

// Its last character would be looked for in front of its beginning.
TEST(HostileTemplateTest, SourcesThatAreNoUtf8AreRefused) {
  for (const char* source : {"\x80{%- if 1 %}", "\xC3", "a\xFF{{ 1 }}"}) {
    EXPECT_EQ(RenderFault(source).parts().found, "bytes that are no UTF-8") << source;
  }
}

// A namespace that holds itself would never be freed if it owned what it holds.
TEST(HostileTemplateTest, CyclesAreHarmless) {
  EXPECT_EQ(testing::Rendered("{% set ns = namespace() %}{% set ns.a = [ns] %}{% set ns.b = ns %}"
                              "{{ ns.b.b.a[0] == ns }}"),
            "True");
}

}  // namespace
}  // namespace paroquant
