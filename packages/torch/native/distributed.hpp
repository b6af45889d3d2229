// Process groups: c10d's backends behind one interface.
#pragma once

#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include "addon.hpp"

namespace perennial {

struct GroupOptions {
  std::string backend;  // gloo | nccl | mpi
  int rank = 0;
  int size = 1;
  std::string address;  // of the process of rank 0
  uint16_t port = 0;
  std::string networkInterface;  // empty: the one that leads to `address`
  std::chrono::milliseconds connectTimeout{0};
  std::chrono::milliseconds timeout{0};
};

struct Group {
  c10::intrusive_ptr<c10d::Store> store;  // rank 0 serves it to all
  c10::intrusive_ptr<c10d::Backend> backend;
  int rank = 0;
  int size = 1;
  std::atomic<int> inFlight{0};  // operations that a pool thread waits for
};

// Meets the other processes. Blocks until all are there; throws a BindingError that says who is missing or disagrees.
std::shared_ptr<Group> connect(const GroupOptions& options);

// The backend of the loaded libtorch with this name.
c10::intrusive_ptr<c10d::Backend> makeBackend(const GroupOptions& options, const c10::intrusive_ptr<c10d::Store>& store);
bool hasBackend(const std::string& name);

// The group behind the id that TypeScript holds.
std::shared_ptr<Group> groupOf(double id);

void registerReducer(napi_env env, napi_value exports);

}  // namespace perennial
