// Tensors across the border: creation from and copying to JavaScript memory, metadata, disposal.
#include "addon.hpp"

#include <ATen/Functions.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <unordered_map>
#include <unordered_set>

namespace perennial {
namespace {

struct NamedDtype {
  const char* name;
  at::ScalarType type;
};

constexpr NamedDtype kDtypes[] = {
    {"float32", at::kFloat},       {"float64", at::kDouble},        {"float16", at::kHalf},          {"bfloat16", at::kBFloat16},
    {"int64", at::kLong},          {"int32", at::kInt},             {"int16", at::kShort},           {"int8", at::kChar},
    {"uint8", at::kByte},          {"bool", at::kBool},             {"complex64", at::kComplexFloat}, {"complex128", at::kComplexDouble},
    {"complex32", at::kComplexHalf}, {"uint16", at::kUInt16},       {"uint32", at::kUInt32},         {"uint64", at::kUInt64},
    {"float8_e4m3fn", at::kFloat8_e4m3fn}, {"float8_e5m2", at::kFloat8_e5m2}, {"float8_e4m3fnuz", at::kFloat8_e4m3fnuz},
    {"float8_e5m2fnuz", at::kFloat8_e5m2fnuz}, {"qint8", at::kQInt8}, {"quint8", at::kQUInt8},      {"qint32", at::kQInt32},
};

struct Bytes {
  void* data = nullptr;
  size_t length = 0;
  napi_value arrayBuffer = nullptr;
};

Bytes bytesOf(napi_env env, napi_value value) {
  Bytes bytes;
  bool isTypedArray = false, isArrayBuffer = false;
  napi_is_typedarray(env, value, &isTypedArray);
  napi_is_arraybuffer(env, value, &isArrayBuffer);
  if (isTypedArray) {
    napi_typedarray_type type;
    size_t length = 0, offset = 0;
    checkStatus(env, napi_get_typedarray_info(env, value, &type, &length, &bytes.data, &bytes.arrayBuffer, &offset));
    static constexpr size_t kSizes[] = {1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8};
    if (static_cast<size_t>(type) >= std::size(kSizes)) throw BindingError("this kind of typed array is not supported");
    bytes.length = length * kSizes[type];
  } else if (isArrayBuffer) {
    bytes.arrayBuffer = value;
    checkStatus(env, napi_get_arraybuffer_info(env, value, &bytes.data, &bytes.length));
  } else {
    throw BindingError("expected a typed array");
  }
  return bytes;
}

// fromBytes(typedArray); in: [dtype id, 1 = share memory, dimensions, sizes …]; out: [tensor]
napi_value fromBytes(napi_env env, napi_callback_info info) {
  return guarded(env, [&](Env& state) -> napi_value {
    state.collectGarbage();
    size_t count = 1;
    napi_value argument;
    napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
    const Bytes bytes = bytesOf(env, argument);
    Reader reader(state);
    const at::ScalarType type = dtypeOf(reader.string());
    const bool share = reader.word() != 0;
    std::vector<int64_t> sizes(reader.count());
    uint64_t numel = 1;
    for (auto& size : sizes) {
      size = static_cast<int64_t>(reader.word());
      if (size < 0 || (size != 0 && numel > (uint64_t{1} << 52) / static_cast<uint64_t>(size))) throw BindingError("a shape must hold non-negative sizes of a sensible product");
      numel *= static_cast<uint64_t>(size);
    }
    if (numel * c10::elementSize(type) != bytes.length)
      throw BindingError("the shape asks for " + std::to_string(numel * c10::elementSize(type)) + " bytes of " + dtypeName(type) + " but the array holds " +
                         std::to_string(bytes.length));
    at::Tensor tensor;
    if (share && bytes.length > 0) {
      napi_ref reference;
      checkStatus(env, napi_create_reference(env, bytes.arrayBuffer, 1, &reference));
      Env* owner = &state;
      tensor = at::from_blob(bytes.data, sizes, [owner, reference](void*) { owner->discard(reference); }, at::TensorOptions(type));
    } else {
      tensor = at::empty(sizes, at::TensorOptions(type));
      if (bytes.length > 0) std::memcpy(tensor.mutable_data_ptr(), bytes.data, bytes.length);
    }
    Writer(state).tensor(std::move(tensor));
    return nullptr;
  });
}

// copyInto(typedArray); in: [handle]
napi_value copyInto(napi_env env, napi_callback_info info) {
  return guarded(env, [&](Env& state) -> napi_value {
    size_t count = 1;
    napi_value argument;
    napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
    const Bytes bytes = bytesOf(env, argument);
    const at::Tensor tensor = Reader(state).tensor().detach().to(at::kCPU).contiguous().resolve_conj().resolve_neg();
    if (tensor.nbytes() != bytes.length)
      throw BindingError("the tensor holds " + std::to_string(tensor.nbytes()) + " bytes but the array " + std::to_string(bytes.length));
    if (bytes.length > 0) std::memcpy(bytes.data, tensor.const_data_ptr(), bytes.length);
    return nullptr;
  });
}

struct PendingRead {
  at::Tensor tensor;
  std::optional<c10::Stream> stream;  // the caller's: a pool thread would copy beside it, too early
  std::string error;
  napi_deferred deferred = nullptr;
  napi_async_work work = nullptr;
};

// readAsync() → Promise<ArrayBuffer>; in: [handle]. Waits for the device on a pool thread, not on JavaScript's.
napi_value readAsync(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) {
    auto pending = std::make_unique<PendingRead>();
    pending->tensor = Reader(state).tensor().detach();
    if (pending->tensor.is_cuda()) pending->stream = c10::impl::VirtualGuardImpl(c10::DeviceType::CUDA).getStream(pending->tensor.device());
    napi_value promise, name;
    checkStatus(env, napi_create_promise(env, &pending->deferred, &promise));
    checkStatus(env, napi_create_string_utf8(env, "torch.read", NAPI_AUTO_LENGTH, &name));
    checkStatus(env, napi_create_async_work(
        env, nullptr, name,
        [](napi_env, void* data) {
          auto* read = static_cast<PendingRead*>(data);
          try {
            const c10::OptionalStreamGuard guard(read->stream);
            read->tensor = read->tensor.to(at::kCPU).contiguous().resolve_conj().resolve_neg();
          } catch (const std::exception& error) {
            read->error = messageOf(error);
          }
        },
        [](napi_env done, napi_status, void* data) {
          std::unique_ptr<PendingRead> read(static_cast<PendingRead*>(data));
          napi_value result;
          void* memory = nullptr;
          if (read->error.empty() && napi_create_arraybuffer(done, read->tensor.nbytes(), &memory, &result) == napi_ok) {
            if (read->tensor.nbytes() > 0) std::memcpy(memory, read->tensor.const_data_ptr(), read->tensor.nbytes());
            napi_resolve_deferred(done, read->deferred, result);
          } else {
            napi_value message;
            napi_create_string_utf8(done, read->error.c_str(), NAPI_AUTO_LENGTH, &message);
            napi_create_error(done, nullptr, message, &result);
            napi_reject_deferred(done, read->deferred, result);
          }
          napi_delete_async_work(done, read->work);
        },
        pending.get(), &pending->work));
    checkStatus(env, napi_queue_async_work(env, pending->work));
    pending.release();
    return promise;
  });
}

// Ids of dtype names, remembered: metadata is asked for often.
uint32_t internedDtype(Env& state, at::ScalarType type) {
  static thread_local std::unordered_map<int, uint32_t> ids;
  const auto [entry, isNew] = ids.try_emplace(static_cast<int>(type), 0);
  if (isNew) entry->second = state.intern(dtypeName(type));
  return entry->second;
}

const char* layoutName(at::Layout layout) {
  switch (layout) {
    case at::kStrided: return "strided";
    case at::kSparse: return "sparse_coo";
    case at::kSparseCsr: return "sparse_csr";
    case at::kSparseCsc: return "sparse_csc";
    case at::kSparseBsr: return "sparse_bsr";
    case at::kSparseBsc: return "sparse_bsc";
    default: return "other";
  }
}

// in: [handle]; out: [dtype id, device id, layout id, requires grad, is leaf, storage offset, contiguous, bytes, dimensions, sizes …, strides …]
napi_value info(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) -> napi_value {
    const at::Tensor tensor = Reader(state).tensor();
    const bool strided = tensor.layout() == at::kStrided;
    Writer writer(state);
    writer.word(internedDtype(state, tensor.scalar_type()));
    static thread_local const uint32_t kCpu = state.intern("cpu");
    writer.word(tensor.device().is_cpu() ? kCpu : state.intern(tensor.device().str()));
    static thread_local const uint32_t kStridedLayout = state.intern("strided");
    writer.word(strided ? kStridedLayout : state.intern(layoutName(tensor.layout())));
    writer.word(tensor.requires_grad());
    writer.word(tensor.is_leaf());
    writer.word(strided ? static_cast<double>(tensor.storage_offset()) : 0);
    writer.word(strided && tensor.is_contiguous());
    writer.word(strided ? static_cast<double>(tensor.nbytes()) : 0);
    writer.word(static_cast<double>(tensor.dim()));
    for (const auto size : tensor.sizes()) writer.word(static_cast<double>(size));
    for (int64_t i = 0; i < tensor.dim(); ++i) writer.word(strided ? static_cast<double>(tensor.stride(i)) : 0);
    return nullptr;
  });
}

// in: [handle]; out: [tagged value]. Waits for the device.
napi_value item(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) -> napi_value {
    const at::Tensor tensor = Reader(state).tensor();
    if (tensor.numel() != 1) throw BindingError("item() needs a tensor of one element but this one is " + describe(tensor));
    const at::Scalar scalar = tensor.item();
    Writer writer(state);
    if (scalar.isBoolean()) { writer.word(kBool); writer.word(scalar.toBool()); }
    else if (scalar.isIntegral(false)) writer.value(c10::IValue(scalar.toLong()), *c10::IntType::get());
    else if (scalar.isComplex()) writer.value(c10::IValue(scalar.toComplexDouble()), *c10::ComplexType::get());
    else { writer.word(kNumber); writer.word(scalar.toDouble()); }
    return nullptr;
  });
}

// in: [count, handles …]. Never throws: disposing twice does nothing.
napi_value release(napi_env env, napi_callback_info) {
  Env& state = envOf(env);
  const auto count = std::min(static_cast<size_t>(state.words[0]), state.words.size() - 1);
  for (size_t i = 1; i <= count; ++i) state.tensors.remove(state.words[i]);
  state.collectGarbage();
  return nullptr;
}

// in: [handle]; out: [tensor]: another handle of the same tensor.
napi_value alias(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) -> napi_value {
    at::Tensor same = Reader(state).tensor();
    Writer(state).tensor(std::move(same));
    return nullptr;
  });
}

// in: [handle, handle] → whether both are the same tensor object.
napi_value same(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) {
    Reader reader(state);
    const at::Tensor& a = reader.tensor();
    const at::Tensor& b = reader.tensor();
    napi_value result;
    checkStatus(env, napi_get_boolean(env, a.is_same(b), &result));
    return result;
  });
}

// Bytes of the distinct storages behind all tensors that TypeScript holds.
double liveBytes(Env& state) {
  std::unordered_set<const void*> seen;
  double bytes = 0;
  state.tensors.each([&](const at::Tensor& tensor) {
    if (!tensor.defined() || !tensor.has_storage() || tensor.is_meta()) return;
    if (seen.insert(tensor.storage().unsafeGetStorageImpl()).second) bytes += static_cast<double>(tensor.storage().nbytes());
  });
  return bytes;
}

// out: [live tensors, live bytes]
napi_value live(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) -> napi_value {
    Writer writer(state);
    writer.word(static_cast<double>(state.tensors.live()));
    writer.word(liveBytes(state));
    return nullptr;
  });
}

// Tells V8 how many bytes hang on its garbage: the change since the last report.
napi_value reportMemory(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) -> napi_value {
    static thread_local int64_t reported = 0;  // a thread has one environment
    const auto bytes = static_cast<int64_t>(liveBytes(state));
    int64_t total;
    checkStatus(env, napi_adjust_external_memory(env, bytes - reported, &total));
    reported = bytes;
    return nullptr;
  });
}

}  // namespace

const char* dtypeName(at::ScalarType type) {
  for (const auto& entry : kDtypes)
    if (entry.type == type) return entry.name;
  return c10::toString(type);
}

at::ScalarType dtypeOf(const std::string& name) {
  for (const auto& entry : kDtypes)
    if (name == entry.name) return entry.type;
  throw BindingError("unknown dtype \"" + name + "\"; the common ones are float32, bfloat16, float16, float64, int64, int32, bool");
}

std::string describe(const at::Tensor& tensor) {
  if (!tensor.defined()) return "an undefined Tensor";
  std::string text = std::string(dtypeName(tensor.scalar_type())) + "[";
  for (int64_t i = 0; i < tensor.dim(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(tensor.size(i));
  text += "]";
  return tensor.device().is_cpu() ? text : text + " on " + tensor.device().str();
}

void registerTensors(napi_env env, napi_value exports) {
  setFunction(env, exports, "fromBytes", fromBytes);
  setFunction(env, exports, "copyInto", copyInto);
  setFunction(env, exports, "readAsync", readAsync);
  setFunction(env, exports, "info", info);
  setFunction(env, exports, "item", item);
  setFunction(env, exports, "release", release);
  setFunction(env, exports, "alias", alias);
  setFunction(env, exports, "same", same);
  setFunction(env, exports, "live", live);
  setFunction(env, exports, "reportMemory", reportMemory);
}

}  // namespace perennial
