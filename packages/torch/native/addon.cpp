#include "addon.hpp"

#include <c10/util/Exception.h>

namespace perennial {
namespace {

constexpr size_t kInitialWords = 1 << 16;

napi_value currentBuffer(Env& state) {
  napi_value buffer;
  checkStatus(state.env, napi_get_reference_value(state.env, state.buffer, &buffer));
  return buffer;
}

void exposeBuffer(Env& state) {
  // The memory belongs to `words`; JavaScript drops the old view when it sees that the buffer has changed.
  napi_value buffer;
  checkStatus(state.env, napi_create_external_arraybuffer(state.env, state.words.data(), state.words.size() * sizeof(double),
                                                         [](napi_env, void*, void*) {}, nullptr, &buffer));
  if (state.buffer != nullptr) {
    napi_value old = currentBuffer(state);
    napi_detach_arraybuffer(state.env, old);
    napi_delete_reference(state.env, state.buffer);
  }
  checkStatus(state.env, napi_create_reference(state.env, buffer, 1, &state.buffer));
}

napi_value buffer(napi_env env, napi_callback_info) {
  return guarded(env, [](Env& state) { return currentBuffer(state); });
}

// reserve(words): makes room; the caller then asks for buffer() again.
napi_value reserve(napi_env env, napi_callback_info info) {
  return guarded(env, [&](Env& state) -> napi_value {
    size_t count = 1;
    napi_value argument;
    double wanted = 0;
    napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
    checkStatus(env, napi_get_value_double(env, argument, &wanted));
    state.reserve(static_cast<size_t>(wanted));
    return nullptr;
  });
}

napi_value intern(napi_env env, napi_callback_info info) {
  return guarded(env, [&](Env& state) {
    size_t count = 1;
    napi_value argument, result;
    napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
    checkStatus(env, napi_create_uint32(env, state.intern(stringArgument(env, argument)), &result));
    return result;
  });
}

napi_value stringOf(napi_env env, napi_callback_info info) {
  return guarded(env, [&](Env& state) {
    size_t count = 1;
    napi_value argument, result;
    uint32_t id = 0;
    napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
    checkStatus(env, napi_get_value_uint32(env, argument, &id));
    const std::string text = id < state.strings.size() ? state.strings[id].text : "";
    checkStatus(env, napi_create_string_utf8(env, text.data(), text.size(), &result));
    return result;
  });
}

napi_value lastError(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) {
    napi_value result;
    checkStatus(env, napi_create_string_utf8(env, state.lastError.data(), state.lastError.size(), &result));
    return result;
  });
}

}  // namespace

void Env::reserve(size_t count) {
  if (count <= words.size()) return;
  std::vector<double> larger(std::max(count, words.size() * 2));
  std::copy(words.begin(), words.end(), larger.begin());
  words.swap(larger);
  exposeBuffer(*this);  // `larger`, the old memory, is freed only after the old view was detached
}

uint32_t Env::intern(const std::string& text) {
  const auto found = stringIds.find(text);
  if (found != stringIds.end()) return found->second;
  const auto id = static_cast<uint32_t>(strings.size());
  strings.push_back({text});
  stringIds.emplace(text, id);
  return id;
}

void Env::collectGarbage() {
  std::vector<napi_ref> doomed;
  {
    std::lock_guard<std::mutex> lock(garbageMutex);
    doomed.swap(garbage);
  }
  for (napi_ref reference : doomed) napi_delete_reference(env, reference);
}

Env& envOf(napi_env env) {
  void* data = nullptr;
  napi_get_instance_data(env, &data);
  return *static_cast<Env*>(data);
}

std::string messageOf(const std::exception& error) {
  if (const auto* torchError = dynamic_cast<const c10::Error*>(&error)) return torchError->what_without_backtrace();
  return error.what();
}

napi_value guarded(napi_env env, const std::function<napi_value(Env&)>& body) {
  Env& state = envOf(env);
  try {
    return body(state);
  } catch (const JavaScriptException&) {
    napi_value exception;
    if (state.pendingException != nullptr && napi_get_reference_value(env, state.pendingException, &exception) == napi_ok) {
      napi_delete_reference(env, state.pendingException);
      state.pendingException = nullptr;
      napi_throw(env, exception);
    }
  } catch (const std::exception& error) {
    bool pending = false;
    napi_is_exception_pending(env, &pending);
    if (!pending) napi_throw_error(env, "TORCH", messageOf(error).c_str());
  } catch (...) {
    napi_throw_error(env, "TORCH", "an unknown C++ exception");
  }
  return nullptr;
}

void checkStatus(napi_env env, napi_status status) {
  if (status == napi_ok) return;
  const napi_extended_error_info* info = nullptr;
  napi_get_last_error_info(env, &info);
  throw BindingError(info != nullptr && info->error_message != nullptr ? info->error_message : "a Node-API call failed");
}

void setFunction(napi_env env, napi_value exports, const char* name, napi_callback callback) {
  napi_value function;
  checkStatus(env, napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function));
  checkStatus(env, napi_set_named_property(env, exports, name, function));
}

napi_value toValue(napi_env env, double number) {
  napi_value result;
  checkStatus(env, napi_create_double(env, number, &result));
  return result;
}

napi_value toValue(napi_env env, const std::string& text) {
  napi_value result;
  checkStatus(env, napi_create_string_utf8(env, text.data(), text.size(), &result));
  return result;
}

napi_value toValue(napi_env env, bool flag) {
  napi_value result;
  checkStatus(env, napi_get_boolean(env, flag, &result));
  return result;
}

void setProperty(napi_env env, napi_value object, const char* name, napi_value value) {
  checkStatus(env, napi_set_named_property(env, object, name, value));
}

std::string stringArgument(napi_env env, napi_value value) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok) throw BindingError("expected a string");
  std::string text(length, '\0');
  napi_get_value_string_utf8(env, value, text.data(), length + 1, &length);
  return text;
}

Callback::Callback(Env& env, napi_value function) : env_(env), thread_(std::this_thread::get_id()) {
  checkStatus(env.env, napi_create_reference(env.env, function, 1, &function_));
}

Callback::~Callback() { env_.discard(function_); }

std::vector<at::Tensor> Callback::operator()(const std::vector<at::Tensor>& arguments) {
  if (std::this_thread::get_id() != thread_)
    throw BindingError("a JavaScript hook was reached from another thread than the one that registered it");
  napi_env env = env_.env;
  napi_handle_scope handles;
  checkStatus(env, napi_open_handle_scope(env, &handles));
  napi_value function, list, receiver, result;
  checkStatus(env, napi_get_reference_value(env, function_, &function));
  checkStatus(env, napi_create_array_with_length(env, arguments.size(), &list));
  for (size_t i = 0; i < arguments.size(); ++i) {
    napi_value handle;
    checkStatus(env, napi_create_double(env, arguments[i].defined() ? env_.tensors.add(arguments[i]) : -1, &handle));
    checkStatus(env, napi_set_element(env, list, i, handle));
  }
  napi_get_undefined(env, &receiver);
  if (napi_call_function(env, receiver, function, 1, &list, &result) != napi_ok) {
    napi_value exception;
    napi_get_and_clear_last_exception(env, &exception);
    if (env_.pendingException != nullptr) napi_delete_reference(env, env_.pendingException);
    env_.pendingException = nullptr;
    napi_value boxed = exception;
    napi_create_reference(env, boxed, 1, &env_.pendingException);
    napi_close_handle_scope(env, handles);
    throw JavaScriptException();
  }
  std::vector<at::Tensor> outputs;
  bool isArray = false;
  napi_is_array(env, result, &isArray);
  if (isArray) {
    uint32_t count = 0;
    napi_get_array_length(env, result, &count);
    for (uint32_t i = 0; i < count; ++i) {
      napi_value element;
      double handle = -1;
      napi_get_element(env, result, i, &element);
      napi_get_value_double(env, element, &handle);
      outputs.push_back(handle < 0 ? at::Tensor() : env_.tensor(handle));
      env_.tensors.remove(handle);  // made for this call: see handOver() in TypeScript
    }
  }
  napi_close_handle_scope(env, handles);
  return outputs;
}

}  // namespace perennial

NAPI_MODULE_INIT() {
  using namespace perennial;
  auto* state = new Env();
  state->env = env;
  state->words.resize(kInitialWords);
  napi_set_instance_data(env, state, [](napi_env, void* data, void*) { delete static_cast<Env*>(data); }, nullptr);
  return guarded(env, [&](Env& created) {
    exposeBuffer(created);
    setFunction(env, exports, "buffer", buffer);
    setFunction(env, exports, "reserve", reserve);
    setFunction(env, exports, "intern", intern);
    setFunction(env, exports, "stringOf", stringOf);
    setFunction(env, exports, "lastError", lastError);
    registerCall(env, exports);
    registerTensors(env, exports);
    registerAutograd(env, exports);
    registerFiles(env, exports);
    registerSettings(env, exports);
    registerDistributed(env, exports);
    registerCuda(env, exports);
    registerGraphs(env, exports);
    return exports;
  });
}
