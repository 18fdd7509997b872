// Which white space around tags stays.
#include <gtest/gtest.h>

#include "tests/chat/rendering.h"

namespace paroquant {
namespace {

using testing::ExpectRenderings;

TEST(ChatWhiteSpaceTest, TagsTakeTheirLine) {
  ExpectRenderings({
      {"a\n  {% if 1 %}\n  b\n  {% endif %}\n c", "a\n  b\n c"},
      {"  {# c #}\n z", " z"},
      {"{{ 1 }}\nx", "1\nx"},
      {"a  {% if 1 %}b{% endif %}", "a  b"},
  });
}

TEST(ChatWhiteSpaceTest, HyphensTakeAllWhiteSpace) {
  ExpectRenderings({
      {"a\n{%- if 1 -%}\n b \n{%- endif %}\n\n c", "ab\n c"},
      {"x {{- 1 -}}  y", "x1y"},
      {"x {#- c -#} y", "xy"},
      {"  {%- raw -%}  {{ x }} {%- endraw -%} y", "{{ x }}y"},
  });
}

TEST(ChatWhiteSpaceTest, PlusSignsKeepIt) {
  ExpectRenderings({
      {"a\n  {%+ if 1 %}b{% endif %}", "a\n  b"},
      {"{% if 1 +%}\nb{% endif %}", "\nb"},
      {"{#+ c +#}\n z", "\n z"},
  });
}

TEST(ChatWhiteSpaceTest, OneNewlineAtTheEndGoes) {
  ExpectRenderings({
      {"a\n", "a"},
      {"a\n\n", "a\n"},
      {"{% if 1 %}a{% endif %}\n", "a"},
  });
}

TEST(ChatWhiteSpaceTest, EveryEndOfALineIsTheSame) {
  ExpectRenderings({
      {"a\r\nb\rc{% if 1 %}\r\nd{% endif %}", "a\nb\ncd"},
  });
}

}  // namespace
}  // namespace paroquant
