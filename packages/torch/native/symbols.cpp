#include "symbols.hpp"

#include <ATen/Context.h>
#include <dlfcn.h>

namespace perennial {
namespace {

#ifdef __APPLE__
const char kCudaLibrary[] = "libtorch_cuda.dylib";
#else
const char kCudaLibrary[] = "libtorch_cuda.so";
#endif

// Both are found through the addon's own run path, which leads to the libtorch that it was built against.
struct CudaLibrary {
  void* driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_GLOBAL);
  void* handle = driver == nullptr ? nullptr : dlopen(kCudaLibrary, RTLD_LAZY | RTLD_GLOBAL);
  std::string error = driver == nullptr || handle != nullptr ? "" : dlerror();
};

const CudaLibrary& cudaLibrary() {
  static const CudaLibrary library;
  return library;
}

}  // namespace

void loadCuda() { cudaLibrary(); }

std::string cudaObstacle() {
  const auto& library = cudaLibrary();
  if (library.driver == nullptr) return "no NVIDIA driver is installed (there is no libcuda.so.1)";
  if (library.handle == nullptr) return "this libtorch has no CUDA part (" + library.error + ")";
  if (!at::hasCUDA() || at::detail::getCUDAHooks().deviceCount() == 0) return "the driver shows no device (nvidia-smi and CUDA_VISIBLE_DEVICES tell more)";
  return "";
}

void* symbol(const char* name) {
  if (void* found = dlsym(RTLD_DEFAULT, name)) return found;
  void* const cuda = cudaLibrary().handle;
  return cuda == nullptr ? nullptr : dlsym(cuda, name);
}

}  // namespace perennial
