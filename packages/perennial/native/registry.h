// One addon, many units: each unit under native/<folder>/ defines
//   static void registerX(napi_env env, napi_value exports) { … }
//   static const perennial::Unit unit(registerX);
// and is linked in; addon.cpp needs no list of them.
#pragma once
#include <node_api.h>

#include <vector>

namespace perennial {

using Register = void (*)(napi_env env, napi_value exports);

inline std::vector<Register>& units() {
  static std::vector<Register> all;
  return all;
}

struct Unit {
  explicit Unit(Register registration) { units().push_back(registration); }
};

}  // namespace perennial
