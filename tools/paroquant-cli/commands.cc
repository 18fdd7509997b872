#include "command.h"

namespace paroquant::cli {
namespace {

constexpr Command kCommands[] = {
    {"quantize", "calibrate, fit, quantize and write a checkpoint that engines load",
     DeclareQuantize},
    {"eval-ppl", "measure perplexity and, against a baseline, KL divergence", DeclareEvalPpl},
    {"verify", "check that a checkpoint is whole and matches its source", DeclareVerify},
    {"inspect", "show architecture, tensors, sizes and what would be quantized", DeclareInspect},
    {"convert", "write a quantized checkpoint in another engine's layout", DeclareConvert},
    {"generate", "continue a prompt through the reference runtime", DeclareGenerate},
    {"tokenize", "turn text into token ids", DeclareTokenize},
    {"recipe", "print a recipe with all its keys, or list those in the program", DeclareRecipe},
    {"completion", "print a script that completes the program's options in a shell",
     DeclareCompletion},
    {"man", "print the manual page of the program or of a command, as roff", DeclareMan},
};

}  // namespace

std::span<const Command> Commands() { return kCommands; }

}  // namespace paroquant::cli
