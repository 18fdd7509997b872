// Patterns in tokenizer files are written for Oniguruma (Ruby's syntax); ours run on PCRE2.
#ifndef PAROQUANT_TEXT_REGEX_SYNTAX_H_
#define PAROQUANT_TEXT_REGEX_SYNTAX_H_

#include <string>
#include <string_view>

namespace paroquant::text {

// Rewrites the parts of an Oniguruma pattern that PCRE2 (compiled with UTF, UCP and MULTILINE)
// would read differently:
// - \s, \w, \d, \b: PCRE2's \s also matches U+180E, its \w neither marks nor all connectors;
// - \h is a hexadecimal digit, \uHHHH a character, {,n} an interval, (?m) "dot matches newline";
// - sets inside sets, [a[bc]]: a union;
// - \p{Script}: the property Script, not Script_Extensions.
// Throws kUnsupported, with `where` as the place, for what has no counterpart: intersections (&&),
// negated sets inside sets, a + or ? after an interval.
std::string TranslateToPcre2(std::string_view pattern, const std::string& where);

}  // namespace paroquant::text

#endif  // PAROQUANT_TEXT_REGEX_SYNTAX_H_
