// Words as a shell reads them.
#ifndef PAROQUANT_BASE_SHELL_WORD_H_
#define PAROQUANT_BASE_SHELL_WORD_H_

#include <string>
#include <string_view>

namespace paroquant {

// The text in single quotes, whatever it holds.
std::string ShellQuoted(std::string_view text);

// The text as it is where every shell takes it for one plain word, else in quotes.
std::string ShellWord(std::string_view text);

}  // namespace paroquant

#endif  // PAROQUANT_BASE_SHELL_WORD_H_
