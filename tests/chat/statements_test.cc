// Statements of templates.
#include <gtest/gtest.h>

#include "tests/chat/rendering.h"

namespace paroquant {
namespace {

using testing::ExpectRenderings;

io::Json ThreeVariables() {
  return io::Json::parse(R"({"n": 3, "l": [3, 1, 2], "d": {"b": 1, "a": 2}})");
}

TEST(ChatStatementsTest, LoopsKnowTheirPlace) {
  ExpectRenderings(
      {
          {"{% for x in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.first }}{{ loop.last }}{{ "
           "loop.length }}{{ loop.revindex }}|{% endfor %}",
           "10TrueFalse33|21FalseFalse32|32FalseTrue31|"},
          {"{% for x in l %}<{{ loop.previtem }},{{ loop.nextitem }}>{% endfor %}",
           "<,1><3,2><1,>"},
          {"{% for x in l if x > 1 %}{{ loop.index }}{{ x }}{{ loop.last }}{{ loop.length }} {% "
           "endfor %}",
           "13False2 22True2 "},
          {"{% for a, b in d.items() %}{{ a }}={{ b }};{% endfor %}", "b=1;a=2;"},
          {"{% for x in l %}{% set outer = loop %}{% for y in 'ab' %}{{ outer.index }}{{ loop.last "
           "}} {% endfor %}{% endfor %}",
           "1False 1True 2False 2True 3False 3True "},
      },
      ThreeVariables());
}

TEST(ChatStatementsTest, LoopsMayBeLeft) {
  ExpectRenderings(
      {
          {"{% for x in l %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{% endfor %}", "32"},
          {"{% for x in l %}{% if x == 1 %}{% break %}{% endif %}{{ x }}{% endfor %}", "3"},
          {"{% for x in [] %}{{ x }}{% else %}empty{% endfor %}", "empty"},
      },
      ThreeVariables());
}

TEST(ChatStatementsTest, LoopsKeepTheirVariablesToThemselves) {
  ExpectRenderings(
      {
          {"{% set x = 1 %}{% for i in l %}{% set x = x + i %}{{ x }} {% endfor %}{{ x }}",
           "4 2 3 1"},
          {"{% for i in l %}{% if loop.first %}{% set y = i %}{% endif %}{{ y }};{% endfor %}[{{ y "
           "}}]",
           "3;;;[]"},
          {"{% set ns = namespace(a=1) %}{% for i in l %}{% set ns.a = ns.a + i %}{% endfor %}{{ "
           "ns.a }}[{{ ns.b }}]",
           "7[]"},
      },
      ThreeVariables());
}

TEST(ChatStatementsTest, Branches) {
  ExpectRenderings(
      {
          {"{% if 0 %}a{% elif none %}b{% elif n %}c{% else %}d{% endif %}", "c"},
          {"{% if n %}{% set x = 5 %}{% endif %}{{ x }}", "5"},
      },
      ThreeVariables());
}

TEST(ChatStatementsTest, Macros) {
  ExpectRenderings(
      {
          {"{% macro m(a, b=2) %}{{ a }}-{{ b }}{% endmacro %}{{ m(1) }} {{ m(1, b=3) }} [{{ m() "
           "}}]",
           "1-2 1-3 [-2]"},
          {"{% macro r(n) %}{{ n }}{% if n > 0 %}{{ r(n - 1) }}{% endif %}{% endmacro %}{{ r(3) }}",
           "3210"},
          {"{% macro m() %}{{ x }}{% set y = 7 %}{% endmacro %}{% set x = 5 %}{{ m() }}[{{ y }}]",
           "5[]"},
      },
      ThreeVariables());
}

TEST(ChatStatementsTest, Blocks) {
  ExpectRenderings(
      {
          {"{% set a %}x {{ n }} y{% endset %}[{{ a }}]", "[x 3 y]"},
          {"{% set a | upper | trim %}  x {% set q = 9 %}{% endset %}[{{ a }}{{ q }}]", "[X]"},
          {"{% filter upper %}abc{% endfilter %}", "ABC"},
          {"{% generation %}a{% set k = 1 %}{{ k }}{% endgeneration %}[{{ k }}]", "a1[]"},
          {"{% raw %}{{ x }}{% endraw %}", "{{ x }}"},
          {"{# nothing #}a", "a"},
          {"{% set a, b = 1, 2 %}{{ a }}{{ b }}", "12"},
      },
      ThreeVariables());
}

TEST(ChatStatementsTest, Functions) {
  ExpectRenderings(
      {
          {"{{ range(3)|list }} {{ dict(a=1) }}", "[0, 1, 2] {'a': 1}"},
          {"{{ strftime_now('%d %b %Y') }}", "26 Jul 2024"},
          {"{{ strftime_now is defined }} {{ raise_exception is callable }} {{ messages|length }} "
           "{{ add_generation_prompt }}",
           "True True 1 False"},
      },
      ThreeVariables());
}

}  // namespace
}  // namespace paroquant
