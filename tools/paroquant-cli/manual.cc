#include "manual.h"

#include <map>

namespace paroquant::cli {
namespace {

std::map<std::string, Manual> MakeManuals() {
  return {
      {"paroquant",
       {"Quantizes language models in Hugging Face folders by pairwise rotation quantization "
        "(ParoQuant), on the processor alone, and measures and checks the result. Results go to "
        "standard output, everything else to standard error. The same command gives the same "
        "bytes, whatever the number of threads.",
        {{"From a model to a 4-bit one, with a report to read in a browser; measured; checked.",
          "paroquant quantize --model MODEL --out MODEL-4bit --calib TEXT.txt --report "
          "report.html"},
         {"", "paroquant eval-ppl --model MODEL-4bit --baseline MODEL --data OTHER.txt"},
         {"", "paroquant verify --model MODEL-4bit --source MODEL"}}}},
      {"quantize",
       {"Calibrates the model on text, fits channel scales and rotations to each linear layer, "
        "rounds it to a few bits and writes a checkpoint that engines load, with a model card. "
        "Blocks are worked on one after the other, so memory grows with a block and not with the "
        "model. SIGUSR1 makes it print how far it is. A run that was stopped goes on with --resume "
        "behind the last finished block, to the same bytes.",
        {{"What will happen to each layer, how long it takes and how much memory.",
          "paroquant quantize --model MODEL --out MODEL-4bit --calib TEXT.txt --plan"},
         {"With a page of charts to read.",
          "paroquant quantize --model MODEL --out MODEL-4bit --calib TEXT.txt --report page.html"},
         {"On from where it was stopped.",
          "paroquant quantize --model MODEL --out MODEL-4bit --calib TEXT.txt --resume"},
         {"In a layout without rotations, refused if vllm would not load it.",
          "paroquant quantize --model MODEL --out MODEL-awq --recipe awq --format awq "
          "--calib TEXT.txt --target vllm"},
         {"With less text, fewer bits, and one kind of layer kept.",
          "paroquant quantize --model MODEL --out MODEL-3bit --calib TEXT.txt "
          "--calib-sequences 16 --bits 3 --skip down_proj"}}}},
      {"eval-ppl",
       {"Cuts a text into windows and measures how well the model predicts each token from those "
        "before it. With --baseline also how far the two models' predictions are apart (KL "
        "divergence, in nats a token), which tells methods apart long before perplexity does.",
        {{"A quantized model beside its source.",
          "paroquant eval-ppl --model MODEL-4bit --baseline MODEL --data OTHER.txt"},
         {"Several models in one table, and as a page of charts.",
          "paroquant eval-ppl --model MODEL-4bit MODEL-awq --baseline MODEL --data OTHER.txt "
          "--report compared.html"}}}},
      {"verify",
       {"Looks at every tensor of a checkpoint: shapes, ranges, rotations, checksums. With "
        "--source "
        "also whether each layer is as close to the source as its report says, and everything "
        "else as it was; with --target whether an engine will load it.",
        {{"Whether it is whole, what its source became, and what an engine takes.",
          "paroquant verify --model MODEL-4bit --source MODEL --target transformers"}}}},
      {"inspect",
       {"Reads every weight once and prints what the folder holds. max/rms is the largest weight "
        "of a layer over its root mean square, kurtosis is 3 for Gaussian weights, spread is the "
        "largest over the median norm of an input channel.",
        {{"How far weights stick out of their groups.",
          "paroquant inspect --model MODEL --outliers"}}}},
      {"convert",
       {"Writes the codes of a quantized checkpoint in another layout, or dequantized (fp16). A "
        "layout that cannot hold a layer, such as a rotated one, is refused by name.",
        {{"For engines that load nothing but 16 bits.",
          "paroquant convert --model MODEL-4bit --out MODEL-16bit --format fp16"}}}},
      {"generate",
       {"A quick look at what quantization did, through a runtime that is made to be right rather "
        "than fast. Without --temperature it takes the likeliest token each time.",
        {{"Where the texts of two models part.",
          "paroquant generate --model MODEL-4bit --baseline MODEL --prompt 'The first of' "
          "--max-tokens 20"}}}},
      {"tokenize",
       {"Prints the ids of a text by the model's tokenizer.json, and needs no other file of it.",
        {{"", "paroquant tokenize --model MODEL --text 'The first of'"}}}},
      {"recipe",
       {"A recipe says how layers are quantized, as JSON. What is printed may be edited and given "
        "to quantize --recipe.",
        {{"", "paroquant recipe list"}, {"", "paroquant recipe show fast > mine.json"}}}},
      {"completion",
       {"The script belongs where the shell looks for such, or into its start-up file.",
        {{"For this session of bash.", "source <(paroquant completion bash)"}}}},
      {"man",
       {"The pages are made of the same definitions as the program's options.",
        {{"", "paroquant man quantize > paroquant-quantize.1"}}}},
  };
}

}  // namespace

const Manual& ManualOf(const std::string& command) {
  static const std::map<std::string, Manual> manuals = MakeManuals();
  return manuals.at(command);
}

}  // namespace paroquant::cli
