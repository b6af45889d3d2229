// What only libtorch_cuda (or another optional part of libtorch) has, called by its symbol.
//
// The headers of those parts want CUDA's, NCCL's or Gloo's own, which wheels do not carry, and linking against them would
// keep the addon from loading on machines without a GPU. So functions are looked up in what is loaded, and objects are
// built by their exported constructors on memory larger than any of the classes.
#pragma once

#include <cstddef>
#include <cstring>
#include <new>
#include <string>

#include "addon.hpp"

namespace perennial {

constexpr size_t kRoom = size_t{1} << 18;  // ProcessGroupNCCL of 2.15, the largest, takes a few thousand bytes

// Loads the CUDA part of libtorch, once, where an NVIDIA driver is installed. Without one it stays out: it is large.
void loadCuda();
// Why CUDA cannot be used, in one sentence; empty when it can.
std::string cudaObstacle();

// From the libraries that are loaded; null where no part of this libtorch has it.
void* symbol(const char* name);

template <typename Function>
Function* required(const char* name, const char* part) {
  void* found = symbol(name);
  if (found == nullptr) throw BindingError(std::string("the loaded libtorch has no ") + part);
  return reinterpret_cast<Function*>(found);
}

// Zeroed memory on which `construct` builds an object; freed again when it throws.
template <typename Construct>
void* buildOnRoom(Construct construct) {
  void* room = ::operator new(kRoom);
  std::memset(room, 0, kRoom);
  try {
    construct(room);
  } catch (...) {
    ::operator delete(room);
    throw;
  }
  return room;
}

}  // namespace perennial
