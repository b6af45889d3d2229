// CUDA devices, streams, events and the caching allocator, through libtorch's device-generic interfaces: what is linked
// is libtorch_cpu alone, and what runs is whatever libtorch_cuda has registered there when it was loaded.
//
// A stream travels as two words, the device's index and 64 bits of id.
#include <ATen/Context.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/Event.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>
#include <torch/version.h>

#include "symbols.hpp"

// Allocators of any device tell statistics and free memory since libtorch 2.10.
#if TORCH_VERSION_MAJOR > 2 || TORCH_VERSION_MINOR >= 10
#include <c10/core/CachingDeviceAllocator.h>
#define PERENNIAL_DEVICE_ALLOCATOR
#endif

namespace perennial {
namespace {

c10::impl::VirtualGuardImpl guardOf() {
  const std::string obstacle = cudaObstacle();
  if (!obstacle.empty()) throw BindingError("CUDA cannot be used: " + obstacle);
  at::globalContext().lazyInitDevice(c10::DeviceType::CUDA);
  return c10::impl::VirtualGuardImpl(c10::DeviceType::CUDA);
}

// in: [index | -1 = the current device]
c10::Device readDevice(Reader& reader, const c10::impl::VirtualGuardImpl& guard) {
  const double index = reader.word();
  if (index == -1) return guard.getDevice();
  if (!(index >= 0 && index < guard.deviceCount() && std::trunc(index) == index))
    throw BindingError("there is no device cuda:" + std::to_string(static_cast<int64_t>(index)) + ", but " + std::to_string(guard.deviceCount()) + " in all");
  return c10::Device(c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(index));
}

c10::Stream readStream(Reader& reader, const c10::impl::VirtualGuardImpl& guard) {
  const c10::Device device = readDevice(reader, guard);
  return c10::Stream(c10::Stream::UNSAFE, device, reader.bits());
}

void writeStream(Env& state, const c10::Stream& stream) {
  Writer writer(state);
  double bits;
  const int64_t id = stream.id();
  std::memcpy(&bits, &id, sizeof bits);
  writer.word(stream.device_index());
  writer.word(bits);
}

// → { obstacle: "" when CUDA can be used, devices }
napi_value cudaStatus(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env&) {
    napi_value result;
    checkStatus(env, napi_create_object(env, &result));
    const std::string obstacle = cudaObstacle();
    setProperty(env, result, "obstacle", toValue(env, obstacle));
    setProperty(env, result, "devices", toValue(env, obstacle.empty() ? static_cast<double>(at::detail::getCUDAHooks().deviceCount()) : 0.0));
    return result;
  });
}

// The driver's own interface: a few C functions that have not changed since CUDA 3.2, where the runtime's structure of
// properties changes with every release.
int driverAttribute(int device, int attribute) {
  int value = 0;
  if (required<int(int*, int, int)>("cuDeviceGetAttribute", "CUDA driver")(&value, attribute, device) != 0)
    throw BindingError("the driver does not answer about device " + std::to_string(device));
  return value;
}

// in: [index] → { name, major, minor, multiprocessors, totalBytes }
napi_value cudaProperties(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) {
    const auto guard = guardOf();
    Reader reader(state);
    const int index = readDevice(reader, guard).index();
    constexpr int kMultiprocessors = 16, kMajor = 75, kMinor = 76;  // CU_DEVICE_ATTRIBUTE_…
    int device = 0;
    char name[256] = "";
    size_t bytes = 0;
    if (required<int(int*, int)>("cuDeviceGet", "CUDA driver")(&device, index) != 0 ||
        required<int(char*, int, int)>("cuDeviceGetName", "CUDA driver")(name, sizeof name, device) != 0 ||
        required<int(size_t*, int)>("cuDeviceTotalMem_v2", "CUDA driver")(&bytes, device) != 0)
      throw BindingError("the driver does not answer about device " + std::to_string(index));
    napi_value result;
    checkStatus(env, napi_create_object(env, &result));
    setProperty(env, result, "name", toValue(env, std::string(name)));
    setProperty(env, result, "major", toValue(env, static_cast<double>(driverAttribute(device, kMajor))));
    setProperty(env, result, "minor", toValue(env, static_cast<double>(driverAttribute(device, kMinor))));
    setProperty(env, result, "multiprocessors", toValue(env, static_cast<double>(driverAttribute(device, kMultiprocessors))));
    setProperty(env, result, "totalBytes", toValue(env, static_cast<double>(bytes)));
    return result;
  });
}

// → the current device's index
napi_value currentDevice(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env&) { return toValue(env, static_cast<double>(guardOf().getDevice().index())); });
}

// in: [index]
napi_value setDevice(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) -> napi_value {
    const auto guard = guardOf();
    Reader reader(state);
    guard.setDevice(readDevice(reader, guard));
    return nullptr;
  });
}

// in: [index]: waits for everything that was asked of the device
napi_value synchronizeDevice(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) -> napi_value {
    const auto guard = guardOf();
    Reader reader(state);
    at::detail::getCUDAHooks().deviceSynchronize(readDevice(reader, guard).index());
    return nullptr;
  });
}

// in: [index]; out: [stream]
napi_value currentStream(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) -> napi_value {
    const auto guard = guardOf();
    Reader reader(state);
    writeStream(state, guard.getStream(readDevice(reader, guard)));
    return nullptr;
  });
}

// in: [index, 1 = of high priority]; out: [stream], of the pool that libtorch keeps
napi_value newStream(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) -> napi_value {
    const auto guard = guardOf();
    Reader reader(state);
    const auto device = readDevice(reader, guard);
    writeStream(state, guard.getStreamFromGlobalPool(device, reader.word() != 0));
    return nullptr;
  });
}

// in: [stream]: what follows goes there, and its device is the current one; out: [stream] that was current on that device
napi_value exchangeStream(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) -> napi_value {
    const auto guard = guardOf();
    Reader reader(state);
    const auto stream = readStream(reader, guard);
    guard.setDevice(stream.device());
    writeStream(state, guard.exchangeStream(stream));
    return nullptr;
  });
}

// in: [stream] → whether all of its work is done
napi_value queryStream(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) {
    const auto guard = guardOf();
    Reader reader(state);
    return toValue(env, guard.queryStream(readStream(reader, guard)));
  });
}

// in: [stream]: waits for all of its work
napi_value synchronizeStream(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) -> napi_value {
    const auto guard = guardOf();
    Reader reader(state);
    guard.synchronizeStream(readStream(reader, guard));
    return nullptr;
  });
}

// in: [tensor, stream]: the tensor's memory is used there too, and is not given to others before that work is done
napi_value recordStream(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) -> napi_value {
    const auto guard = guardOf();
    Reader reader(state);
    const at::Tensor tensor = reader.tensor();
    if (!tensor.is_cuda()) throw BindingError("only tensors on a CUDA device belong to streams; this one is " + describe(tensor));
    guard.recordDataPtrOnStream(tensor.storage().data_ptr(), readStream(reader, guard));
    return nullptr;
  });
}

// Each environment has a thread of its own, and its own events.
Table<std::shared_ptr<c10::Event>>& events() {
  static thread_local auto* const all = new Table<std::shared_ptr<c10::Event>>();
  return *all;
}

c10::Event& readEvent(Reader& reader) {
  auto* const found = events().find(reader.word());
  if (found == nullptr) throw BindingError("the event was disposed of");
  return **found;
}

// in: [1 = measures time] → event
napi_value createEvent(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) {
    guardOf();
    const bool timing = Reader(state).word() != 0;
    return toValue(env, events().add(std::make_shared<c10::Event>(c10::DeviceType::CUDA, timing ? c10::EventFlag::BACKEND_DEFAULT : c10::EventFlag::PYTORCH_DEFAULT)));
  });
}

// in: [event, stream]: happens when the work asked of the stream so far is done
napi_value recordEvent(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) -> napi_value {
    Reader reader(state);
    auto& event = readEvent(reader);
    event.record(readStream(reader, guardOf()));
    return nullptr;
  });
}

// in: [event, stream]: what is asked of the stream from now on waits for the event
napi_value awaitEvent(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) -> napi_value {
    Reader reader(state);
    auto& event = readEvent(reader);
    event.block(readStream(reader, guardOf()));
    return nullptr;
  });
}

// in: [event] → whether it has happened
napi_value queryEvent(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) {
    Reader reader(state);
    return toValue(env, readEvent(reader).query());
  });
}

// in: [event]: waits for it
napi_value synchronizeEvent(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) -> napi_value {
    Reader reader(state);
    readEvent(reader).synchronize();
    return nullptr;
  });
}

// in: [event, later event] → milliseconds between them
napi_value elapsedTime(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) {
    Reader reader(state);
    auto& first = readEvent(reader);
    return toValue(env, first.elapsedTime(readEvent(reader)));
  });
}

// in: [event]
napi_value releaseEvent(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) -> napi_value {
    events().remove(Reader(state).word());
    return nullptr;
  });
}

#ifdef PERENNIAL_DEVICE_ALLOCATOR
c10::DeviceAllocator& allocator() { return *c10::getDeviceAllocator(c10::DeviceType::CUDA); }

void setStat(napi_env env, napi_value result, const char* current, const char* peak, const c10::CachingAllocator::StatArray& stats) {
  const auto& all = stats[static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE)];
  setProperty(env, result, current, toValue(env, static_cast<double>(all.current)));
  setProperty(env, result, peak, toValue(env, static_cast<double>(all.peak)));
}
#else
[[noreturn]] void noAllocator() { throw BindingError("the allocator's statistics need libtorch 2.10 or newer; this one is " TORCH_VERSION); }
#endif

// in: [index] → the caching allocator's numbers, in bytes and counts
napi_value allocatorStats(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) -> napi_value {
    const auto guard = guardOf();
    Reader reader(state);
    const auto device = readDevice(reader, guard);
#ifdef PERENNIAL_DEVICE_ALLOCATOR
    const auto stats = allocator().getDeviceStats(device.index());
    const auto [free, total] = allocator().getMemoryInfo(device.index());
    napi_value result;
    checkStatus(env, napi_create_object(env, &result));
    setStat(env, result, "allocatedBytes", "peakAllocatedBytes", stats.allocated_bytes);
    setStat(env, result, "reservedBytes", "peakReservedBytes", stats.reserved_bytes);
    setStat(env, result, "activeBytes", "peakActiveBytes", stats.active_bytes);
    setStat(env, result, "allocations", "peakAllocations", stats.allocation);
    setProperty(env, result, "retries", toValue(env, static_cast<double>(stats.num_alloc_retries)));
    setProperty(env, result, "outOfMemory", toValue(env, static_cast<double>(stats.num_ooms)));
    setProperty(env, result, "freeBytes", toValue(env, static_cast<double>(free)));
    setProperty(env, result, "totalBytes", toValue(env, static_cast<double>(total)));
    return result;
#else
    (void)device;
    noAllocator();
#endif
  });
}

// in: [index]
napi_value resetPeakStats(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) -> napi_value {
    const auto guard = guardOf();
    Reader reader(state);
    const auto device = readDevice(reader, guard);
#ifdef PERENNIAL_DEVICE_ALLOCATOR
    allocator().resetPeakStats(device.index());
    return nullptr;
#else
    (void)device;
    noAllocator();
#endif
  });
}

napi_value emptyCache(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env&) -> napi_value {
    guardOf();
#ifdef PERENNIAL_DEVICE_ALLOCATOR
    allocator().emptyCache();
    return nullptr;
#else
    noAllocator();
#endif
  });
}

}  // namespace

void registerCuda(napi_env env, napi_value exports) {
  loadCuda();
  setFunction(env, exports, "cudaStatus", cudaStatus);
  setFunction(env, exports, "cudaProperties", cudaProperties);
  setFunction(env, exports, "currentDevice", currentDevice);
  setFunction(env, exports, "setDevice", setDevice);
  setFunction(env, exports, "synchronizeDevice", synchronizeDevice);
  setFunction(env, exports, "currentStream", currentStream);
  setFunction(env, exports, "newStream", newStream);
  setFunction(env, exports, "exchangeStream", exchangeStream);
  setFunction(env, exports, "queryStream", queryStream);
  setFunction(env, exports, "synchronizeStream", synchronizeStream);
  setFunction(env, exports, "recordStream", recordStream);
  setFunction(env, exports, "createEvent", createEvent);
  setFunction(env, exports, "recordEvent", recordEvent);
  setFunction(env, exports, "awaitEvent", awaitEvent);
  setFunction(env, exports, "queryEvent", queryEvent);
  setFunction(env, exports, "synchronizeEvent", synchronizeEvent);
  setFunction(env, exports, "elapsedTime", elapsedTime);
  setFunction(env, exports, "releaseEvent", releaseEvent);
  setFunction(env, exports, "allocatorStats", allocatorStats);
  setFunction(env, exports, "resetPeakStats", resetPeakStats);
  setFunction(env, exports, "emptyCache", emptyCache);
}

}  // namespace perennial
