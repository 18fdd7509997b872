// Filters, tests and operators of templates on values of each kind.
#include <gtest/gtest.h>

#include "tests/chat/rendering.h"

namespace paroquant {
namespace {

using testing::ExpectRenderings;
using testing::Variables;

TEST(ChatFiltersTest, FiltersOfText) {
  ExpectRenderings(
      {
          {"{{ 'a b a'|replace('a', 'c') }}", "c b c"},
          {"{{ 'aaa'|replace('a', 'b', 1) }}", "baa"},
          {"{{ 12|replace(1, 3) }}", "32"},
          {"{{ 'hello wORLD'|title }}", "Hello World"},
          {"{{ 'a-b c_d (e'|title }}", "A-B C_d (E"},
          {"{{ 'hELLO'|capitalize }}", "Hello"},
          {"{{ 'a\\nb\\n\\nc'|indent }}", "a\n    b\n\n    c"},
          {"{{ 'a\\nb'|indent(2, true) }}", "  a\n  b"},
          {"{{ 'a\\n\\nb'|indent(2, blank=true) }}", "a\n  \n  b"},
          {"{{ 'a\\nb'|indent('> ') }}", "a\n> b"},
          {"{{ 'x'|int(7) }}", "7"},
          {"{{ '1e2'|int }}", "100"},
          {"{{ none|int(4) }}", "4"},
          {"{{ 'abc'|float(1.5) }}", "1.5"},
          {"{{ '1.5x'|float }}", "0.0"},
          {"{{ 2|float }}", "2.0"},
          {"{{ -2.5|abs }}", "2.5"},
      },
      Variables());
}

TEST(ChatFiltersTest, FiltersOfLists) {
  ExpectRenderings(
      {
          {"{{ []|first is defined }}", "False"},
          {"{{ []|last is defined }}", "False"},
          {"{{ l|last }}", "2"},
          {"{{ 'abc'|last }}", "c"},
          {"{{ l|reverse|list }}", "[2, 1, 3]"},
          {"{{ 'abc'|reverse }}", "cba"},
          {"{{ l|sort(reverse=true) }}", "[3, 2, 1]"},
          {"{{ lo|map(attribute='r')|join('+') }}", "x+y+X"},
          {"{{ l|join('-') }}", "3-1-2"},
          {"{{ lo|selectattr('v', 'defined')|map(attribute='v')|list }}", "[1, 2]"},
          {"{{ l|select('odd')|list }}", "[3, 1]"},
          {"{{ l|reject('divisibleby', 3)|list }}", "[1, 2]"},
          {"{{ l|max }}", "3"},
          {"{{ l|min }}", "1"},
          {"{{ l|sum }}", "6"},
          {"{{ lo|map(attribute='v', default=0)|sum }}", "3"},
          {"{{ l|unique|list }}", "[3, 1, 2]"},
          {"{{ [1, 1, 2]|unique|list }}", "[1, 2]"},
          {"{{ d|items|list }}", "[('b', 1), ('a', [1, 2]), ('items', 5)]"},
          {"{{ d|dictsort }}", "[('a', [1, 2]), ('b', 1), ('items', 5)]"},
      },
      Variables());
}

TEST(ChatFiltersTest, Tests) {
  ExpectRenderings(
      {
          {"{{ 3 is divisibleby 3 }}", "True"},
          {"{{ 3 is divisibleby(2) }}", "False"},
          {"{{ none is sameas none }}", "True"},
          {"{{ true is sameas true }}", "True"},
          {"{{ true is sameas false }}", "False"},
          {"{{ 'ABC' is upper }}", "True"},
          {"{{ 'ABc' is upper }}", "False"},
          {"{{ 'abc' is lower }}", "True"},
          {"{{ 3 is odd }}", "True"},
          {"{{ 3 is even }}", "False"},
          {"{{ 2.0 is float }}", "True"},
          {"{{ 2 is integer }}", "True"},
          {"{{ true is integer }}", "False"},
          {"{{ true is boolean }}", "True"},
          {"{{ d is mapping }}", "True"},
          {"{{ s is iterable }}", "True"},
          {"{{ 3 is iterable }}", "False"},
          {"{{ s is sequence }}", "True"},
          {"{{ 1 is eq 1 }}", "True"},
          {"{{ 1 is ne 2 }}", "True"},
          {"{{ 1 is lt 2 }}", "True"},
          {"{{ 2 is ge 2 }}", "True"},
          {"{{ 1 is in [1] }}", "True"},
          {"{{ 'a' is in 'b' }}", "False"},
      },
      Variables());
}

TEST(ChatFiltersTest, Operators) {
  ExpectRenderings(
      {
          {"{{ 'ab' * 3 }}", "ababab"},
          {"{{ 3 * 'ab' }}", "ababab"},
          {"{{ 'ab' * 0 }}", ""},
          {"{{ 'ab' * -1 }}", ""},
          {"{{ [1, 2] * 2 }}", "[1, 2, 1, 2]"},
          {"{{ (1,) * 2 }}", "(1, 1)"},
          {"{{ [1] + [2] }}", "[1, 2]"},
          {"{{ (1,) + (2,) }}", "(1, 2)"},
          {"{{ 'a' + 'b' }}", "ab"},
          {"{{ 1.5 + 1 }}", "2.5"},
          {"{{ 2.5 - 1 }}", "1.5"},
          {"{{ 2.5 * 2 }}", "5.0"},
          {"{{ 7.5 / 2.5 }}", "3.0"},
          {"{{ -2.5 }}", "-2.5"},
          {"{{ +3 }}", "3"},
          {"{{ 7 // -2 }}", "-4"},
          {"{{ -7 % 3 }}", "2"},
          {"{{ 7 // -1 }}", "-7"},
          {"{{ 7 % -1 }}", "0"},
          {"{{ 1 in (1, 2) }}", "True"},
          {"{{ 3 not in l }}", "False"},
          {"{{ 'b' in d }}", "True"},
          {"{{ 1.0 in [1] }}", "True"},
          {"{{ 2 <= 2.0 >= 1 }}", "True"},
          {"{{ 'a' < 'b' }}", "True"},
          {"{{ 'b' >= 'a' }}", "True"},
          {"{{ [1, 2] < [1, 3] }}", "True"},
      },
      Variables());
}

}  // namespace
}  // namespace paroquant
