// Which keys of a JSON file its reader knows, learnt by watching it read.
#ifndef PAROQUANT_IO_ASKED_KEYS_H_
#define PAROQUANT_IO_ASKED_KEYS_H_

#include <map>
#include <set>
#include <string>

#include "paroquant/io/json.h"

namespace paroquant::io {

class AskedKeys {
 public:
  // The object at `where`, as JsonObject names it, was asked for `key`.
  void Add(const std::string& where, const std::string& key) { keys_[where].insert(key); }

  // Throws kInput for a key of `object`, or of an object in it, that was not asked for and is
  // spelled nearly like one that was, and is absent: an optional key that is mistyped would
  // otherwise count as left out.
  void RefuseMistyped(const Json& object, const std::string& where) const;

 private:
  std::map<std::string, std::set<std::string>> keys_;  // by place
};

}  // namespace paroquant::io

#endif  // PAROQUANT_IO_ASKED_KEYS_H_
