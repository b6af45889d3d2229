// Shared state of one Node environment (main thread or worker): the command buffer through which TypeScript passes
// arguments, and the table of tensors that TypeScript holds.
//
// The command buffer is an array of doubles shared by both languages. TypeScript writes tagged words and calls a
// function without arguments; results come back the same way. One crossing then costs tens of nanoseconds, however
// many arguments there are.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <node_api.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <cstring>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace perennial {

// Kinds of values in the command buffer; `packages/torch/src/buffer.ts` holds the same numbers.
enum Tag : int {
  kNone = 0,
  kDefault = 1,    // take the schema's default
  kTensor = 2,     // handle
  kNumber = 3,     // value
  kBigInt = 4,     // 64 bits of the word
  kBool = 5,       // 0 | 1
  kString = 6,     // interned id
  kComplex = 7,    // real, imaginary
  kFloat = 8,      // value that stays floating point though it is integral
  kGenerator = 9,  // handle
  kList = 10,      // count, then tagged values
  kNumbers = 11,   // count, then bare values
  kTensors = 12,   // count, then bare handles
  kInt = 13,       // result only: an integer
};

struct BindingError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A JavaScript exception on its way through libtorch; the exception itself waits in Env::pendingException.
struct JavaScriptException : std::runtime_error {
  JavaScriptException() : std::runtime_error("a JavaScript callback threw") {}
};

// Objects with a generation: a handle that outlived its object is recognised, not followed.
template <typename T>
class Table {
 public:
  // 24 bits of index, 29 of generation: exact in a double.
  double add(T value) {
    uint32_t index;
    if (free_.empty()) {
      index = static_cast<uint32_t>(slots_.size());
      if (index > kMaxIndex) throw BindingError("More than 16,777,215 tensors are alive at once; dispose of some with scope() or dispose()");
      slots_.push_back({std::move(value), 1, true});
    } else {
      index = free_.back();
      free_.pop_back();
      slots_[index].value = std::move(value);
      slots_[index].live = true;
    }
    ++live_;
    return static_cast<double>((static_cast<uint64_t>(slots_[index].generation) << 24) | index);
  }

  T* find(double handle) {
    if (!(handle >= 0 && handle < 9007199254740992.0)) return nullptr;
    const auto bits = static_cast<uint64_t>(handle);
    const auto index = static_cast<uint32_t>(bits & kMaxIndex);
    if (index >= slots_.size()) return nullptr;
    auto& slot = slots_[index];
    return slot.live && slot.generation == static_cast<uint32_t>(bits >> 24) ? &slot.value : nullptr;
  }

  void remove(double handle) {
    T* value = find(handle);
    if (value == nullptr) return;
    const auto index = static_cast<uint32_t>(static_cast<uint64_t>(handle) & kMaxIndex);
    T doomed = std::move(*value);  // destroyed last: its destructor may come back here
    slots_[index].value = T();
    slots_[index].live = false;
    slots_[index].generation = (slots_[index].generation + 1) & 0x1FFFFFFF;
    free_.push_back(index);
    --live_;
  }

  size_t live() const { return live_; }

  template <typename F>
  void each(F visit) {
    for (auto& slot : slots_)
      if (slot.live) visit(slot.value);
  }

 private:
  struct Slot {
    T value;
    uint32_t generation;
    bool live;
  };
  static constexpr uint32_t kMaxIndex = 0xFFFFFF;
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
  size_t live_ = 0;
};

struct Operator {
  c10::OperatorHandle handle;
  std::vector<c10::TypePtr> argumentTypes;  // the real types: ScalarType, Layout … are told from int
  bool returnsNothing;                      // in-place and out variants: TypeScript returns the argument itself
};

struct InternedString {
  std::string text;
};

struct Env {
  napi_env env = nullptr;
  std::vector<double> words;
  napi_ref buffer = nullptr;
  Table<at::Tensor> tensors;
  Table<at::Generator> generators;
  std::vector<Operator> operators;
  std::unordered_map<std::string, uint32_t> operatorIndex;
  std::vector<InternedString> strings;
  std::unordered_map<std::string, uint32_t> stringIds;
  std::string lastError;
  napi_ref pendingException = nullptr;
  std::vector<std::shared_ptr<void>> guards;  // open inference modes, innermost last

  // References dropped on another thread, or inside a destructor, wait here for the next call from JavaScript.
  std::mutex garbageMutex;
  std::vector<napi_ref> garbage;
  void discard(napi_ref reference) {
    std::lock_guard<std::mutex> lock(garbageMutex);
    garbage.push_back(reference);
  }
  void collectGarbage();

  at::Tensor& tensor(double handle) {
    at::Tensor* found = tensors.find(handle);
    if (found == nullptr) throw BindingError("the tensor was disposed of; return it from its scope or keep() it");
    return *found;
  }
  uint32_t intern(const std::string& text);
  void reserve(size_t count);  // room for that many words; may move the buffer
};

// The environment of a callback.
Env& envOf(napi_env env);

// Reads tagged words; every read is checked against the end of the buffer.
class Reader {
 public:
  explicit Reader(Env& env, size_t position = 0) : env_(&env), position_(position) {}
  double word() {
    if (position_ >= env_->words.size()) throw BindingError("the command buffer ended early");
    return env_->words[position_++];
  }
  int64_t bits() {
    const double value = word();
    int64_t result;
    std::memcpy(&result, &value, sizeof result);
    return result;
  }
  size_t count() {
    const double value = word();
    if (!(value >= 0 && value <= static_cast<double>(env_->words.size()))) throw BindingError("a list is longer than the command buffer");
    return static_cast<size_t>(value);
  }
  Tag tag() { return static_cast<Tag>(static_cast<int>(word())); }
  at::Tensor& tensor() { return env_->tensor(word()); }
  const std::string& string() {
    const auto id = count();
    if (id >= env_->strings.size()) throw BindingError("unknown string id");
    return env_->strings[id].text;
  }
  size_t position() const { return position_; }
  Env& env() { return *env_; }

 private:
  Env* env_;
  size_t position_;
};

class Writer {
 public:
  explicit Writer(Env& env) : env_(env) {}
  void word(double value) {
    if (position_ >= env_.words.size()) env_.reserve(env_.words.size() * 2);
    env_.words[position_++] = value;
  }
  void tensor(at::Tensor value) {
    if (!value.defined()) return word(kNone);
    const double handle = env_.tensors.add(std::move(value));
    word(kTensor);
    word(handle);
  }
  void value(const c10::IValue& value, const c10::Type& type);

 private:
  Env& env_;
  size_t position_ = 0;
};

std::string describe(const at::Tensor& tensor);  // float32[2, 3]
const char* dtypeName(at::ScalarType type);
at::ScalarType dtypeOf(const std::string& name);  // throws BindingError

// Runs `body`; what it throws becomes a pending JavaScript exception.
napi_value guarded(napi_env env, const std::function<napi_value(Env&)>& body);
std::string messageOf(const std::exception& error);

void setFunction(napi_env env, napi_value exports, const char* name, napi_callback callback);
napi_value toValue(napi_env env, double number);
napi_value toValue(napi_env env, const std::string& text);
napi_value toValue(napi_env env, bool flag);
void setProperty(napi_env env, napi_value object, const char* name, napi_value value);
std::string stringArgument(napi_env env, napi_value value);
void checkStatus(napi_env env, napi_status status);

// A JavaScript function that libtorch may call during backward, on the environment's own thread.
class Callback {
 public:
  Callback(Env& env, napi_value function);
  ~Callback();
  Callback(const Callback&) = delete;
  Callback& operator=(const Callback&) = delete;
  // Arguments and result travel as tensor handles.
  std::vector<at::Tensor> operator()(const std::vector<at::Tensor>& arguments);

 private:
  Env& env_;
  napi_ref function_ = nullptr;
  std::thread::id thread_;
};

void registerCall(napi_env env, napi_value exports);
void registerTensors(napi_env env, napi_value exports);
void registerAutograd(napi_env env, napi_value exports);
void registerFiles(napi_env env, napi_value exports);
void registerSettings(napi_env env, napi_value exports);
void registerDistributed(napi_env env, napi_value exports);
void registerCuda(napi_env env, napi_value exports);
void registerGraphs(napi_env env, napi_value exports);

}  // namespace perennial
