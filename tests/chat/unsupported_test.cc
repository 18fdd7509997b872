// What templates may not do, and how that is said.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/chat/rendering.h"

namespace paroquant {
namespace {

using ::testing::HasSubstr;
using testing::RenderFault;

struct Case {
  std::string source;
  std::string message;
};

void ExpectFaults(ErrorKind kind, const std::vector<Case>& cases) {
  for (const auto& [source, message] : cases) {
    SCOPED_TRACE(source);
    const Error error = RenderFault(source);
    EXPECT_EQ(error.kind(), kind) << error.what();
    EXPECT_THAT(error.what(), HasSubstr(message));
  }
}

TEST(ChatUnsupportedTest, ConstructsAreNamedWithTheirLine) {
  ExpectFaults(ErrorKind::kUnsupported,
               {{"a\n{% include 'x' %}",
                 "template:2: expected what chat templates are known to "
                 "use, found the tag \"include\""},
                {"{% with a = 1 %}{% endwith %}", "template:1"},
                {"\n\n{% for x in [] recursive %}{% endfor %}", "template:3"},
                {"{% for x in [] %}{% macro m() %}{% endmacro %}{% endfor %}", "a macro inside"},
                {"{{ 1 | wordcount }}", "the filter \"wordcount\""},
                {"{{ [1] | map('nosuch') }}", "the filter \"nosuch\""},
                {"{{ 1 is nosuch }}", "the test \"nosuch\""},
                {"{{ 'a'.nosuch() }}", "the method \"nosuch\""},
                {"{{ 2 ** 3 }}", "the operator \"**\""},
                {"{{ m(*[1]) }}", "\"*\" before an argument"},
                {"{{ 0x10 }}", "a number"},
                {"{{ '\\N{DASH}' }}", "the escape \"\\N\""}});
}

TEST(ChatUnsupportedTest, WhatOnlyValuesShowIsNamedToo) {
  ExpectFaults(ErrorKind::kUnsupported,
               {{"{{ '%s' % 1 }}", "formatted by \"%\"\" at template:1"},
                {"{{ 9223372036854775807 + 1 }}", "beyond 64 bits"},
                {"{{ 'ß'|upper }}", "the case of a character"},
                {"{{ namespace() }}", "the text of a Namespace"},
                {"{{ 'a'.encode is defined }}{{ lipsum }}", "\"lipsum\""}});
}

TEST(ChatUnsupportedTest, SyntaxErrorsAreNamedWithTheirLine) {
  ExpectFaults(ErrorKind::kInput, {{"a\n{{ 1 +", "template:2: expected a chat template"},
                                   {"{% if 1 %}", "the end of the template where \"endif\" is due"},
                                   {"{% endif %}", "template:1"},
                                   {"{{ 'a }}", "a string without its end"},
                                   {"{# a", "a comment without its end"},
                                   {"{{ (1 }}", "template:1"},
                                   {"{{ a b }}", "\"b\" where \"}}\" is due"},
                                   {"{% set 1 = 2 %}", "template:1"},
                                   {"{{ $ }}", "the character \"$\""}});
}

// As in transformers, which learns of an unknown filter behind an "if" only when it gets there.
TEST(ChatUnsupportedTest, UnknownFiltersOfUntakenBranchesDoNoHarm) {
  EXPECT_EQ(testing::Rendered("{% if tools %}{{ 1 | from_json }}{% endif %}a"), "a");
  ExpectFaults(ErrorKind::kUnsupported, {{"{% if 1 %}\n{{ 1 | from_json }}{% endif %}",
                                          "the filter \"from_json\"\" at template:2"}});
}

TEST(ChatUnsupportedTest, FaultsOfARenderingNameRecordAndLine) {
  ExpectFaults(
      ErrorKind::kInput,
      {{"a\n{{ raise_exception('No!') }}",
        "record: expected a conversation that the model's chat "
        "template takes, found \"No!\" at template:2"},
       {"{{ x.y }}", "'x' is undefined"},
       {"{{ messages[0].z.y }}", "'dict object' has no attribute 'z'"},
       {"{{ 'a' + none }}", "unsupported operand types for +: 'str' and 'NoneType'"},
       {"{{ 1 / 0 }}", "division by zero"},
       {"{{ [].append(1) }}", "access to attribute 'append' of 'list' object is unsafe."},
       {"{{ x | tojson }}", "Object of type Undefined is not JSON serializable"},
       {"{% for x in 5 %}{% endfor %}", "'int' object is not iterable"},
       {"{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}", "takes not more than 1 argument(s)"},
       {"{% set a, b = [1] %}", "1 values for 2 names"}});
}

}  // namespace
}  // namespace paroquant
