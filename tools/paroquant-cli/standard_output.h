// Results on standard output: what the system did not take was not given.
#ifndef PAROQUANT_TOOLS_PAROQUANT_CLI_STANDARD_OUTPUT_H_
#define PAROQUANT_TOOLS_PAROQUANT_CLI_STANDARD_OUTPUT_H_

namespace paroquant::cli {

// Writes out what standard output still holds. Ends the program without a word, by SIGPIPE as the
// system would, if nobody reads on; throws kSystem for any other failure.
void RequireOutputTaken();

}  // namespace paroquant::cli

#endif  // PAROQUANT_TOOLS_PAROQUANT_CLI_STANDARD_OUTPUT_H_
