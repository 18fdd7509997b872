// Expressions of templates; methods_test.cc and filters_test.cc go through those one by one.
#include <gtest/gtest.h>

#include "tests/chat/rendering.h"

namespace paroquant {
namespace {

using testing::ExpectRenderings;
using testing::Variables;

TEST(ChatExpressionsTest, Numbers) {
  ExpectRenderings(
      {
          {"{{ 2 + 3 * 4 - 5 // 2 % 3 }} {{ -3 // 2 }} {{ -3 % 2 }} {{ 7 / 2 }}", "12 -2 1 3.5"},
          {"{{ 1e3 }} {{ 1.0e-7 }} {{ 0.1 + 0.2 }} {{ 1e16 }} {{ 123456789.0 }}",
           "1000.0 1e-07 0.30000000000000004 1e+16 123456789.0"},
          {"{{ -1|abs }} {{ (-1)|abs }} {{ 5 - -3 }} {{ true + 1 }}", "1 1 8 2"},
          {"{{ '12'|int + 1 }} {{ 'x'|int }} {{ '1.9'|int }} {{ '2.5'|float }}", "13 0 1 2.5"},
      },
      Variables());
}

TEST(ChatExpressionsTest, Logic) {
  ExpectRenderings(
      {
          {"{{ 1 < 2 < 3 }} {{ not 1 == 2 }} {{ 'a' ~ 1 ~ none }}", "True True a1None"},
          {"{{ '' or 'x' }} {{ 'a' and [] }} {{ 0 or none }}", "x [] None"},
          {"{{ 'a' if 0 else 'b' }}[{{ 'a' if 0 }}]", "b[]"},
          {"{{ 1 in [1] and 2 not in [1] }} {{ 'lo' in s }} {{ 'b' in d }}", "True True True"},
          {"{{ 1 == 1.0 }} {{ true == 1 }} {{ '1' == 1 }} {{ [1] == (1,) }} {{ x == y }}",
           "True True False False True"},
      },
      Variables());
}

TEST(ChatExpressionsTest, UndefinedValues) {
  ExpectRenderings(
      {
          {"[{{ x }}] {{ x is defined }} {{ x|default('D') }} {{ ''|d('D', true) }} {{ x|length }}",
           "[] False D D 0"},
          {"{% for i in x %}{{ i }}{% else %}none{% endfor %}", "none"},
          {"{{ d.zz is undefined }} {{ l[9] is defined }} {{ no is none }}{{ tools is none }}",
           "True False TrueTrue"},
      },
      Variables());
}

TEST(ChatExpressionsTest, Strings) {
  ExpectRenderings(
      {
          {"{{ s[0] }}{{ u[1] }}{{ u[-1] }} {{ s[:-3] }} {{ u[::-1] }} {{ u|length }}",
           "Hé本 Hello Wo 本日 olléh 8"},
          {"{{ ' a '.strip() }}|{{ 'xax'.strip('x') }}|{{ 'a,b,c'.split(',', 1) }}|{{ ' a  b "
           "'.split() }}",
           "a|a|['a', 'b,c']|['a', 'b']"},
          {"{{ s.startswith('Hell') }} {{ s.endswith(('x', 'ld')) }} {{ s.replace('l', 'L', 1) }}",
           "True True HeLlo World"},
          {"{{ s|upper }} {{ s|lower }} {{ 'ab cd'|title }} {{ 'aB'|capitalize }}",
           "HELLO WORLD hello world Ab Cd Ab"},
          {"{{ '{} {1}'.replace('{1}', '{}').format(1, 'b') }} {{ 'a' 'b' }} {{ 'ab' * 2 }}",
           "1 b ab abab"},
          {"{{ 'a\\nb'|indent }} {{ 'a\\nb'|indent(1, true) }}", "a\n    b  a\n b"},
          {"{{ '\\x41\\u00e9\\101\\q\\'' }}", "AéA\\q'"},
      },
      Variables());
}

TEST(ChatExpressionsTest, ValuesAsText) {
  ExpectRenderings(
      {
          {"{{ [1.0, none, true, 'a', {'x': (1,)}] }}", "[1.0, None, True, 'a', {'x': (1,)}]"},
          {"{{ [q] }} {{ [u] }} {{ ['\\u200b'] }}",
           "['it\\'s \"q\"\\n'] ['héllo 日本'] ['\\u200b']"},
          {"{{ d }} {{ d.keys() }} {{ d.values()|list }} {{ d.items()|list }}",
           "{'b': 1, 'a': [1, 2], 'items': 5} dict_keys(['b', 'a', 'items']) [1, [1, 2], 5] [('b', "
           "1), ('a', [1, 2]), ('items', 5)]"},
          {"{{ d['items'] }} {{ d.get('b') }} {{ d.get('zz', 4) }} {{ d.items is callable }}",
           "5 1 4 True"},
          {"{{ l[1:] + [4] }} {{ (1, 2)[0] }} {{ l[::-1] }} {{ l.0 }} {{ range(5, 0, -2)|list }}",
           "[1, 2, 4] 1 [2, 1, 3] 3 [5, 3, 1]"},
      },
      Variables());
}

TEST(ChatExpressionsTest, Json) {
  ExpectRenderings(
      {
          {"{{ d|tojson }}", "{\"b\": 1, \"a\": [1, 2], \"items\": 5}"},
          {"{{ d|tojson(indent=2) }}",
           "{\n  \"b\": 1,\n  \"a\": [\n    1,\n    2\n  ],\n  \"items\": 5\n}"},
          {"{{ [q, u, html, 1.0, none]|tojson }}",
           "[\"it's \\\"q\\\"\\n\", \"héllo 日本\", \"<a>&\", 1.0, null]"},
          {"{{ u|tojson(ensure_ascii=true) }} {{ {'b': 1, 'a': 2}|tojson(sort_keys=true) }}",
           "\"h\\u00e9llo \\u65e5\\u672c\" {\"a\": 2, \"b\": 1}"},
          {"{{ [1, {'a': 2}]|tojson(separators=(',', ':')) }} {{ []|tojson(indent=2) }}",
           "[1,{\"a\":2}] []"},
      },
      Variables());
}

TEST(ChatExpressionsTest, Lists) {
  ExpectRenderings(
      {
          {"{{ lo|map(attribute='r')|join(', ') }} {{ lo|map(attribute='v', default=0)|list }}",
           "x, y, X [1, 0, 2]"},
          {"{{ lo|selectattr('v')|map(attribute='r')|list }} {{ lo|rejectattr('r', 'equalto', "
           "'x')|list|length }}",
           "['x', 'X'] 2"},
          {"{{ l|sort }} {{ l|sort(reverse=true) }} {{ ['b', 'A']|sort }} {{ "
           "lo|sort(attribute='r')|map(attribute='r')|list }}",
           "[1, 2, 3] [3, 2, 1] ['A', 'b'] ['x', 'X', 'y']"},
          {"{{ l|first }} {{ l|last }} {{ l|min }} {{ l|max }} {{ l|sum }} {{ l|reverse|list }}",
           "3 2 1 3 6 [2, 1, 3]"},
          {"{{ d|dictsort }} {{ {'b': 1}|items|list }} {{ ['a', 'A', 'b']|unique|list }}",
           "[('a', [1, 2]), ('b', 1), ('items', 5)] [('b', 1)] ['a', 'b']"},
          {"{% set g = lo|selectattr('v') %}{{ g|list|length }}{{ g|list|length }}{{ 'true' if g "
           "}}",
           "20true"},
          {"{{ [1, 'a', none]|select('string')|list }} {{ ['a']|map('upper')|list }}",
           "['a'] ['A']"},
      },
      Variables());
}

TEST(ChatExpressionsTest, SafeStringsEscapeWhatIsAddedToThem) {
  ExpectRenderings(
      {
          {"{{ (html|safe) + html }} {{ html|e }} {{ html|safe ~ html }} {{ html }}",
           "<a>&&lt;a&gt;&amp; &lt;a&gt;&amp; <a>&<a>& <a>&"},
      },
      Variables());
}

TEST(ChatExpressionsTest, Tests) {
  ExpectRenderings(
      {
          {"{{ s is string }} {{ d is mapping }} {{ l is iterable }} {{ s is iterable }} {{ d is "
           "sequence }} {{ 1 is iterable }}",
           "True True True True True False"},
          {"{{ true is boolean }} {{ true is integer }} {{ 1 is number }} {{ 1.5 is float }} {{ "
           "false is false }}",
           "True False True True True"},
          {"{{ 3 is odd }} {{ 3 is divisibleby 3 }} {{ 3 is not even }} {{ 1 is in [1] }} {{ 2 is "
           "eq(2) }}",
           "True True True True True"},
      },
      Variables());
}

}  // namespace
}  // namespace paroquant
