// What holds for the whole process: random numbers, threads, determinism, versions and devices.
#include "addon.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/ParallelFuture.h>
#include <ATen/Version.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/DefaultDtype.h>
#include <dlfcn.h>
#include <torch/version.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace perennial {
namespace {

napi_value describeLibrary(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env&) {
    napi_value result;
    checkStatus(env, napi_create_object(env, &result));
    setProperty(env, result, "version", toValue(env, std::string(TORCH_VERSION)));
    setProperty(env, result, "config", toValue(env, std::string(at::show_config())));
    setProperty(env, result, "cpuCapability", toValue(env, std::string(at::get_cpu_capability())));
    setProperty(env, result, "parallel", toValue(env, std::string(at::get_parallel_info())));
    setProperty(env, result, "hasMkl", toValue(env, static_cast<double>(at::hasMKL())));
    setProperty(env, result, "hasOneDnn", toValue(env, static_cast<double>(at::hasMKLDNN())));
    setProperty(env, result, "hasCuda", toValue(env, static_cast<double>(at::hasCUDA())));
    setProperty(env, result, "cudaDevices", toValue(env, static_cast<double>(at::hasCUDA() ? at::detail::getCUDAHooks().deviceCount() : 0)));
    return result;
  });
}

// BLAS libraries keep their own thread count where libtorch does not set it.
void setBlasThreads(int count) {
  for (const char* name : {"openblas_set_num_threads", "bli_thread_set_num_threads"})
    if (void* symbol = dlsym(RTLD_DEFAULT, name)) reinterpret_cast<void (*)(int)>(symbol)(count);
}

// in: [threads]
napi_value setNumThreads(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) -> napi_value {
    const double count = Reader(state).word();
    if (!(count >= 1 && count <= 4096)) throw BindingError("the number of threads must be from 1 to 4096");
    at::set_num_threads(static_cast<int>(count));
    setBlasThreads(static_cast<int>(count));
    return nullptr;
  });
}

napi_value numThreads(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env&) { return toValue(env, static_cast<double>(at::get_num_threads())); });
}

// in: [0 | 1, 1 = only warn]
napi_value setDeterministic(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) -> napi_value {
    Reader reader(state);
    const bool enabled = reader.word() != 0;
    at::globalContext().setDeterministicAlgorithms(enabled, reader.word() != 0);
    return nullptr;
  });
}

// → 0 any kernels, 1 warns, 2 throws
napi_value deterministic(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env&) {
    const auto& context = at::globalContext();
    return toValue(env, !context.deterministicAlgorithms() ? 0.0 : context.deterministicAlgorithmsWarnOnly() ? 1.0 : 2.0);
  });
}

// in: [dtype id]; out: [dtype id before]
napi_value setDefaultDtype(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) -> napi_value {
    const auto type = dtypeOf(Reader(state).string());
    const auto before = c10::get_default_dtype_as_scalartype();
    if (!at::isFloatingType(type)) throw BindingError("the default dtype must be a floating point type");
    c10::set_default_dtype(c10::scalarTypeToTypeMeta(type));
    Writer(state).word(state.intern(dtypeName(before)));
    return nullptr;
  });
}

// in: [seed bits]: seeds the default generators of every device
napi_value manualSeed(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) -> napi_value {
    at::manual_seed(static_cast<uint64_t>(Reader(state).bits()));
    return nullptr;
  });
}

// in: [device id]; out: [generator handle] of that device's default generator
napi_value defaultGenerator(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) -> napi_value {
    const c10::Device device(Reader(state).string());
    Writer(state).word(state.generators.add(at::globalContext().defaultGenerator(device)));
    return nullptr;
  });
}

// in: [device id, seed bits]; out: [generator handle]
napi_value createGenerator(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) -> napi_value {
    Reader reader(state);
    const c10::Device device(reader.string());
    const auto seed = static_cast<uint64_t>(reader.bits());
    at::Generator made;
    if (device.is_cpu()) {
      made = at::make_generator<at::CPUGeneratorImpl>(seed);
    } else {
      auto& context = at::globalContext();
      context.lazyInitDevice(device.type());
      made = context.getAcceleratorHooksInterface(device.type()).getNewGenerator(device.index());
      made.set_current_seed(seed);
    }
    Writer(state).word(state.generators.add(std::move(made)));
    return nullptr;
  });
}

at::Generator& generatorOf(Reader& reader) {
  at::Generator* generator = reader.env().generators.find(reader.word());
  if (generator == nullptr) throw BindingError("the Generator was disposed of");
  return *generator;
}

// in: [generator]; out: [tensor of bytes]
napi_value generatorState(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) -> napi_value {
    Reader reader(state);
    at::Generator generator = generatorOf(reader);
    std::lock_guard<std::mutex> lock(generator.mutex());
    at::Tensor bytes = generator.get_state();
    Writer(state).tensor(std::move(bytes));
    return nullptr;
  });
}

// in: [generator, handle of a tensor of bytes]
napi_value setGeneratorState(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) -> napi_value {
    Reader reader(state);
    at::Generator generator = generatorOf(reader);
    const at::Tensor bytes = reader.tensor();
    std::lock_guard<std::mutex> lock(generator.mutex());
    generator.set_state(bytes);
    return nullptr;
  });
}

// in: [generator, seed bits]
napi_value seedGenerator(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) -> napi_value {
    Reader reader(state);
    at::Generator generator = generatorOf(reader);
    std::lock_guard<std::mutex> lock(generator.mutex());
    generator.set_current_seed(static_cast<uint64_t>(reader.bits()));
    return nullptr;
  });
}

// in: [generator]
napi_value releaseGenerator(napi_env env, napi_callback_info) {
  Env& state = envOf(env);
  state.generators.remove(state.words[0]);
  return nullptr;
}

// in: [bytes kept by malloc before memory is given back, bytes from which mmap is used]. Training frees and takes the
// same large buffers every step; giving them back costs a page fault for every 4 KiB.
napi_value setAllocator(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) -> napi_value {
    Reader reader(state);
    const double trim = reader.word();
    const double mapping = reader.word();
#ifdef __GLIBC__
    mallopt(M_TRIM_THRESHOLD, static_cast<int>(std::min(trim, 2147483647.0)));
    mallopt(M_MMAP_THRESHOLD, static_cast<int>(std::min(mapping, 1073741824.0)));
    mallopt(M_TOP_PAD, 64 << 20);
#else
    (void)trim; (void)mapping;
#endif
    return nullptr;
  });
}

}  // namespace

void registerSettings(napi_env env, napi_value exports) {
  setFunction(env, exports, "describeLibrary", describeLibrary);
  setFunction(env, exports, "setNumThreads", setNumThreads);
  setFunction(env, exports, "numThreads", numThreads);
  setFunction(env, exports, "setDeterministic", setDeterministic);
  setFunction(env, exports, "deterministic", deterministic);
  setFunction(env, exports, "setDefaultDtype", setDefaultDtype);
  setFunction(env, exports, "manualSeed", manualSeed);
  setFunction(env, exports, "defaultGenerator", defaultGenerator);
  setFunction(env, exports, "createGenerator", createGenerator);
  setFunction(env, exports, "generatorState", generatorState);
  setFunction(env, exports, "setGeneratorState", setGeneratorState);
  setFunction(env, exports, "seedGenerator", seedGenerator);
  setFunction(env, exports, "releaseGenerator", releaseGenerator);
  setFunction(env, exports, "setAllocator", setAllocator);
}

}  // namespace perennial
