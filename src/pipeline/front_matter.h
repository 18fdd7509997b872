// The head of a model card that the Hugging Face hub reads: YAML between two lines of "---".
#ifndef PAROQUANT_PIPELINE_FRONT_MATTER_H_
#define PAROQUANT_PIPELINE_FRONT_MATTER_H_

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace paroquant::pipeline {

struct FrontMatter {
  struct Value {
    bool is_list = false;
    std::vector<std::string> items;  // one if it is no list
  };
  std::map<std::string, Value> values;
  std::vector<std::string> problems;  // what could not be read, each a sentence

  // The value of a key that is there and no list; else "".
  std::string Text(const std::string& key) const;
};

// What the front matter at the beginning of a file, which need not be one, has under these keys.
// Only a subset of YAML is understood: plain and quoted scalars, and lists of these. Anything else
// under a wanted key is a problem, never a guess. Never throws on content; UTF-8 comes out.
FrontMatter ParseFrontMatter(std::string_view file, std::span<const char* const> keys);

// The value as a scalar that every YAML parser reads as this printable text.
std::string YamlText(const std::string& text);

// "key: value" with its line's end, or a list over several lines.
std::string YamlEntry(const std::string& key, const FrontMatter::Value& value);

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_FRONT_MATTER_H_
