// Readers of files that come from strangers, each as a function of the file's bytes: libFuzzer
// searches for bytes that break them (fuzzer.cc), and the unit tests replay what it has kept
// (corpus_test.cc).
#ifndef PAROQUANT_TESTS_FUZZ_TARGETS_H_
#define PAROQUANT_TESTS_FUZZ_TARGETS_H_

#include <span>
#include <string_view>

namespace paroquant::fuzz {

struct Target {
  const char* name;  // and of its folder in corpus/
  void (*read)(std::string_view input);
};

std::span<const Target> Targets();

// What has to hold of any input: the reader takes it, or throws an Error that calls the input
// wrong or not supported and says so in full. Throws std::logic_error if it does something else.
void Check(const Target& target, std::string_view input);

// Throws std::logic_error unless a condition that a reader promises is met.
void Require(bool condition, const char* promise);

void ReadSafetensors(std::string_view input);
void ReadIndex(std::string_view input);
void ReadConfig(std::string_view input);
void ReadTokenizerFile(std::string_view input);
void EncodeText(std::string_view input);
void ReadDocumentFile(std::string_view input);
void ReadPackedLayer(std::string_view input);
void ReadRecords(std::string_view input);
void RenderChatTemplate(std::string_view input);
void ReadTokenizerConfig(std::string_view input);

}  // namespace paroquant::fuzz

#endif  // PAROQUANT_TESTS_FUZZ_TARGETS_H_
