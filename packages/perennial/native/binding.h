// The border between JavaScript and native code: arguments are checked, exceptions become JavaScript errors,
// long work leaves the event loop free.
#pragma once
#include <node_api.h>

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace perennial {

/** A wrong argument: becomes a TypeError in JavaScript. */
struct ArgumentError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/** A JavaScript exception is pending already: nothing more is thrown. */
struct PendingException {};

inline void check(napi_env env, napi_status status, const char* what) {
  if (status == napi_ok) return;
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (pending) throw PendingException();
  if (status == napi_string_expected || status == napi_number_expected || status == napi_array_expected || status == napi_object_expected ||
      status == napi_boolean_expected || status == napi_invalid_arg || status == napi_function_expected)
    throw ArgumentError(what);
  throw std::runtime_error(what);
}

template <typename Body>
napi_value guarded(napi_env env, Body&& body) {
  try {
    return body();
  } catch (const PendingException&) {
  } catch (const ArgumentError& error) {
    napi_throw_type_error(env, nullptr, error.what());
  } catch (const std::bad_alloc&) {
    napi_throw_error(env, nullptr, "out of memory");
  } catch (const std::exception& error) {
    napi_throw_error(env, nullptr, error.what());
  } catch (...) {
    napi_throw_error(env, nullptr, "unknown native error");
  }
  return nullptr;
}

/** The arguments of a call; a missing one is an ArgumentError that tells its position. */
class Arguments {
 public:
  Arguments(napi_env env, napi_callback_info info) : env_(env), values_(8) {
    size_t count = values_.size();
    check(env, napi_get_cb_info(env, info, &count, values_.data(), &self_, nullptr), "cannot read the arguments");
    if (count < values_.size()) values_.resize(count);
  }
  napi_value operator[](size_t index) const {
    if (index >= values_.size()) throw ArgumentError("argument " + std::to_string(index + 1) + " is missing");
    return values_[index];
  }
  napi_value self() const { return self_; }
  size_t size() const { return values_.size(); }

 private:
  napi_env env_;
  std::vector<napi_value> values_;
  napi_value self_ = nullptr;
};

inline napi_valuetype typeOf(napi_env env, napi_value value) {
  napi_valuetype type;
  check(env, napi_typeof(env, value, &type), "cannot read a type");
  return type;
}

/** UTF-8 of a JavaScript string; lone surrogates become U+FFFD. */
inline std::string toString(napi_env env, napi_value value, const char* what = "expected a string") {
  size_t length = 0;
  check(env, napi_get_value_string_utf8(env, value, nullptr, 0, &length), what);
  std::string text(length, '\0');
  check(env, napi_get_value_string_utf8(env, value, text.data(), length + 1, &length), what);
  return text;
}

inline double toNumber(napi_env env, napi_value value, const char* what = "expected a number") {
  double number = 0;
  check(env, napi_get_value_double(env, value, &number), what);
  return number;
}

inline bool toBool(napi_env env, napi_value value, const char* what = "expected a boolean") {
  bool flag = false;
  check(env, napi_get_value_bool(env, value, &flag), what);
  return flag;
}

/** A property, or nothing when it is undefined or null. */
inline std::optional<napi_value> property(napi_env env, napi_value object, const char* name) {
  napi_value value;
  check(env, napi_get_named_property(env, object, name, &value), name);
  const auto type = typeOf(env, value);
  if (type == napi_undefined || type == napi_null) return std::nullopt;
  return value;
}

inline napi_value required(napi_env env, napi_value object, const char* name) {
  const auto value = property(env, object, name);
  if (!value) throw ArgumentError(std::string(name) + " is missing");
  return *value;
}

inline uint32_t arrayLength(napi_env env, napi_value array) {
  uint32_t length = 0;
  check(env, napi_get_array_length(env, array, &length), "expected an array");
  return length;
}

inline napi_value element(napi_env env, napi_value array, uint32_t index) {
  napi_value value;
  check(env, napi_get_element(env, array, index, &value), "cannot read an element");
  return value;
}

/** The elements of a typed array of exactly this element type. Valid while the JavaScript value lives and is not detached. */
template <typename T>
std::span<T> typedArray(napi_env env, napi_value value, napi_typedarray_type expected, const char* what) {
  bool isTyped = false;
  check(env, napi_is_typedarray(env, value, &isTyped), what);
  if (!isTyped) throw ArgumentError(what);
  napi_typedarray_type type;
  size_t length = 0, offset = 0;
  void* data = nullptr;
  napi_value buffer;
  check(env, napi_get_typedarray_info(env, value, &type, &length, &data, &buffer, &offset), what);
  if (type != expected) throw ArgumentError(what);
  return {static_cast<T*>(data), length};
}

/** The bytes of a Buffer or Uint8Array. */
inline std::span<const uint8_t> bytesOf(napi_env env, napi_value value, const char* what = "expected a Uint8Array") {
  return typedArray<const uint8_t>(env, value, napi_uint8_array, what);
}

inline napi_value newArrayBuffer(napi_env env, size_t bytes, void** data) {
  napi_value buffer;
  check(env, napi_create_arraybuffer(env, bytes, data, &buffer), "cannot allocate an ArrayBuffer");
  return buffer;
}

template <typename T>
napi_value newTypedArray(napi_env env, napi_typedarray_type type, std::span<const T> values) {
  void* data = nullptr;
  napi_value buffer = newArrayBuffer(env, values.size_bytes(), &data);
  if (!values.empty()) std::copy(values.begin(), values.end(), static_cast<T*>(data));
  napi_value array;
  check(env, napi_create_typedarray(env, type, values.size(), buffer, 0, &array), "cannot create a typed array");
  return array;
}

inline napi_value newString(napi_env env, const std::string& text) {
  napi_value value;
  check(env, napi_create_string_utf8(env, text.data(), text.size(), &value), "cannot create a string");
  return value;
}

inline napi_value newNumber(napi_env env, double number) {
  napi_value value;
  check(env, napi_create_double(env, number, &value), "cannot create a number");
  return value;
}

inline napi_value newObject(napi_env env) {
  napi_value value;
  check(env, napi_create_object(env, &value), "cannot create an object");
  return value;
}

inline void set(napi_env env, napi_value object, const char* name, napi_value value) {
  check(env, napi_set_named_property(env, object, name, value), name);
}

inline void exportFunction(napi_env env, napi_value exports, const char* name, napi_callback callback) {
  napi_value function;
  check(env, napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function), name);
  set(env, exports, name, function);
}

/** A C++ object owned by JavaScript, with a tag so that a foreign handle is an error and not a crash. */
template <typename T>
napi_value newHandle(napi_env env, const napi_type_tag& tag, std::shared_ptr<T> object) {
  napi_value handle = newObject(env);
  auto* owner = new std::shared_ptr<T>(std::move(object));
  const auto status = napi_wrap(
      env, handle, owner, [](napi_env, void* data, void*) { delete static_cast<std::shared_ptr<T>*>(data); }, nullptr, nullptr);
  if (status != napi_ok) delete owner;
  check(env, status, "cannot wrap a native object");
  check(env, napi_type_tag_object(env, handle, &tag), "cannot tag a native object");
  return handle;
}

template <typename T>
std::shared_ptr<T> fromHandle(napi_env env, napi_value value, const napi_type_tag& tag, const char* what) {
  bool tagged = false;
  void* data = nullptr;
  if (typeOf(env, value) != napi_object || napi_check_object_type_tag(env, value, &tag, &tagged) != napi_ok || !tagged ||
      napi_unwrap(env, value, &data) != napi_ok || data == nullptr)
    throw ArgumentError(what);
  return *static_cast<std::shared_ptr<T>*>(data);
}

/** Runs `work` on a libuv thread and settles the returned promise with `finish`, which runs on the JavaScript thread.
 *  `keep` values (buffers that `work` reads) stay referenced until then. */
inline napi_value promise(napi_env env, std::function<void()> work, std::function<napi_value(napi_env)> finish,
                          std::vector<napi_value> keep = {}) {
  struct Task {
    std::function<void()> work;
    std::function<napi_value(napi_env)> finish;
    std::vector<napi_ref> kept;
    std::string error;
    bool failed = false;
    napi_deferred deferred = nullptr;
    napi_async_work handle = nullptr;
  };
  auto task = std::make_unique<Task>();
  task->work = std::move(work);
  task->finish = std::move(finish);
  for (auto value : keep) {
    napi_ref reference;
    check(env, napi_create_reference(env, value, 1, &reference), "cannot keep an argument");
    task->kept.push_back(reference);
  }
  napi_value result, name;
  check(env, napi_create_promise(env, &task->deferred, &result), "cannot create a promise");
  check(env, napi_create_string_utf8(env, "perennial", NAPI_AUTO_LENGTH, &name), "cannot create a string");
  check(env,
        napi_create_async_work(
            env, nullptr, name,
            [](napi_env, void* data) {
              auto* running = static_cast<Task*>(data);
              try {
                running->work();
              } catch (const std::bad_alloc&) {
                running->failed = true;
                running->error = "out of memory";
              } catch (const std::exception& error) {
                running->failed = true;
                running->error = error.what();
              } catch (...) {
                running->failed = true;
                running->error = "unknown native error";
              }
            },
            [](napi_env done, napi_status status, void* data) {
              std::unique_ptr<Task> finished(static_cast<Task*>(data));
              napi_value value = nullptr;
              if (!finished->failed && status == napi_ok) {
                value = guarded(done, [&] { return finished->finish(done); });
                if (value == nullptr) {
                  napi_value exception;
                  napi_get_and_clear_last_exception(done, &exception);
                  napi_reject_deferred(done, finished->deferred, exception);
                }
              } else {
                napi_value message, exception;
                const auto& text = finished->failed ? finished->error : std::string("cancelled");
                napi_create_string_utf8(done, text.data(), text.size(), &message);
                napi_create_error(done, nullptr, message, &exception);
                napi_reject_deferred(done, finished->deferred, exception);
              }
              if (value != nullptr) napi_resolve_deferred(done, finished->deferred, value);
              for (auto reference : finished->kept) napi_delete_reference(done, reference);
              napi_delete_async_work(done, finished->handle);
            },
            task.get(), &task->handle),
        "cannot create asynchronous work");
  auto* queued = task.release();
  check(env, napi_queue_async_work(env, queued->handle), "cannot queue asynchronous work");
  return result;
}

}  // namespace perennial
