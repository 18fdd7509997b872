// Methods of strings, dicts and lists in templates, as Python has them.
#include <gtest/gtest.h>

#include "tests/chat/rendering.h"

namespace paroquant {
namespace {

using testing::ExpectRenderings;
using testing::Variables;

TEST(ChatMethodsTest, Lines) {
  ExpectRenderings(
      {
          {"{{ 'a\\nb\\r\\nc'.splitlines() }}", "['a', 'b', 'c']"},
          {"{{ 'a\\nb\\r\\nc\\n'.splitlines(true) }}", "['a\\n', 'b\\r\\n', 'c\\n']"},
          {"{{ ''.splitlines() }}", "[]"},
          {"{{ '\\n\\n'.splitlines() }}", "['', '']"},
          {"{{ 'a\\n b'.splitlines(keepends=true)|length }}", "2"},
      },
      Variables());
}

TEST(ChatMethodsTest, BeginningsAndEnds) {
  ExpectRenderings(
      {
          {"{{ s.startswith('Hell') }}", "True"},
          {"{{ s.startswith(('x', 'He')) }}", "True"},
          {"{{ s.endswith('World') }}", "True"},
          {"{{ s.endswith(('x', 'y')) }}", "False"},
          {"{{ u.endswith('本') }}", "True"},
          {"{{ s.removeprefix('Hello ') }}", "World"},
          {"{{ s.removeprefix('World') }}", "Hello World"},
          {"{{ s.removesuffix('World') }}", "Hello "},
          {"{{ s.removesuffix('Hello') }}", "Hello World"},
      },
      Variables());
}

TEST(ChatMethodsTest, SplittingFromTheRight) {
  ExpectRenderings(
      {
          {"{{ 'a.b.c'.rsplit('.', 1) }}", "['a.b', 'c']"},
          {"{{ 'a.b.c'.rsplit('.') }}", "['a', 'b', 'c']"},
          {"{{ 'abc'.rsplit('.', 1) }}", "['abc']"},
          {"{{ 'a b  c '.split(none, 1) }}", "['a', 'b  c ']"},
          {"{{ ' a b  c'.split(maxsplit=0) }}", "['a b  c']"},
          {"{{ 'a b c'.rsplit() }}", "['a', 'b', 'c']"},
          {"{{ 'xax'.lstrip('x') }}", "ax"},
          {"{{ 'xax'.rstrip('x') }}", "xa"},
          {"{{ '\u3000a\u00a0'.strip() }}", "a"},
      },
      Variables());
}

TEST(ChatMethodsTest, Case) {
  ExpectRenderings(
      {
          {"{{ u.upper() }}", "HÉLLO 日本"},
          {"{{ 'ÉCOLE'.lower() }}", "école"},
          {"{{ 'hello wORLD'.capitalize() }}", "Hello world"},
          {"{{ ''.capitalize() }}", ""},
          {"{{ 'they are 3 o\\'clock ÉCOLE'.title() }}", "They Are 3 O'Clock École"},
          {"{{ 'ABC 1'.isupper() }}", "True"},
          {"{{ 'ABc'.isupper() }}", "False"},
          {"{{ '1'.isupper() }}", "False"},
          {"{{ 'abc é'.islower() }}", "True"},
          {"{{ 'aB'.islower() }}", "False"},
          {"{{ 'ǅ'.isupper() }}", "False"},
          {"{{ 'ß'.islower() }}", "True"},
      },
      Variables());
}

TEST(ChatMethodsTest, KindsOfCharacters) {
  ExpectRenderings(
      {
          {"{{ ' \\t\\n'.isspace() }}", "True"},
          {"{{ ''.isspace() }}", "False"},
          {"{{ ' a'.isspace() }}", "False"},
          {"{{ '\u3000'.isspace() }}", "True"},
          {"{{ '0123'.isdigit() }}", "True"},
          {"{{ ''.isdigit() }}", "False"},
          {"{{ '1a'.isdigit() }}", "False"},
          {"{{ '-1'.isdigit() }}", "False"},
      },
      Variables());
}

TEST(ChatMethodsTest, Places) {
  ExpectRenderings(
      {
          {"{{ u.find('日') }}", "6"},
          {"{{ u.find('z') }}", "-1"},
          {"{{ u.rfind('l') }}", "3"},
          {"{{ u.find('') }}", "0"},
          {"{{ 'aXbXc'.rfind('X') }}", "3"},
          {"{{ 'banana'.count('an') }}", "2"},
          {"{{ 'banana'.count('') }}", "7"},
          {"{{ u.count('l') }}", "2"},
          {"{{ 'aaaa'.count('aa') }}", "2"},
          {"{{ 'x'.replace('x', 'yy') }}", "yy"},
          {"{{ 'aaaa'.replace('a', 'b', 2) }}", "bbaa"},
      },
      Variables());
}

TEST(ChatMethodsTest, Joining) {
  ExpectRenderings(
      {
          {"{{ ', '.join(['a', 'b']) }}", "a, b"},
          {"{{ ''.join(('a',)) }}", "a"},
          {"{{ '-'.join('abc') }}", "a-b-c"},
          {"{{ '-'.join([]) }}", ""},
          {"{{ '-'.join(d) }}", "b-a-items"},
      },
      Variables());
}

TEST(ChatMethodsTest, Formats) {
  ExpectRenderings(
      {
          {"{{ '{} and {}'.format(1, 'b') }}", "1 and b"},
          {"{{ '{1}{0}{1}'.format('a', 'b') }}", "bab"},
          {"{{ '{x}={y}'.format(x=1, y=none) }}", "1=None"},
          {"{{ '{{}} {}'.format([1, 'a']) }}", "{} [1, 'a']"},
          {"{{ 'no fields'.format(1) }}", "no fields"},
      },
      Variables());
}

TEST(ChatMethodsTest, MethodsOfDictsAndLists) {
  ExpectRenderings(
      {
          {"{{ d.get('b') }}", "1"},
          {"{{ d.get('zz') }}", "None"},
          {"{{ d.get('zz', 7) }}", "7"},
          {"{{ d.keys()|list }}", "['b', 'a', 'items']"},
          {"{{ d.values()|list }}", "[1, [1, 2], 5]"},
          {"{{ d.copy() == d }}", "True"},
          {"{{ l.count(1) }}", "1"},
          {"{{ l.index(2) }}", "2"},
          {"{{ l.copy() }}", "[3, 1, 2]"},
          {"{{ (1, 2, 1).count(1) }}", "2"},
          {"{{ (1, 2).index(2) }}", "1"},
          {"{{ range(3)|list }}", "[0, 1, 2]"},
          {"{{ range(1, 8, 3)|list }}", "[1, 4, 7]"},
          {"{{ range(3, 0, -1)|list }}", "[3, 2, 1]"},
          {"{{ range(5, 1)|list }}", "[]"},
          {"{{ dict(a=1, b=2) }}", "{'a': 1, 'b': 2}"},
          {"{{ dict(d, c=3)|length }}", "4"},
      },
      Variables());
}

}  // namespace
}  // namespace paroquant
