// The addon `text`: everything that reads, cuts and counts text natively. Units register themselves (registry.h).
#include "registry.h"

NAPI_MODULE_INIT() {
  for (auto registration : perennial::units()) registration(env, exports);
  return exports;
}
