// Automatic differentiation: backward, gradients, hooks, functions whose backward is written in TypeScript, modes.
#include "addon.hpp"

#include <ATen/autocast_mode.h>
#include <c10/core/AutogradState.h>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/saved_variable.h>
#include <torch/csrc/autograd/variable.h>

namespace perennial {
namespace {

using torch::autograd::variable_list;

variable_list readTensors(Reader& reader) {
  variable_list tensors;
  const size_t count = reader.count();
  tensors.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    const double handle = reader.word();
    tensors.push_back(handle < 0 ? at::Tensor() : reader.env().tensor(handle));
  }
  return tensors;
}

// Backward on the thread that called it, whatever the device: by itself libtorch gives every GPU a thread of its own, from
// which JavaScript cannot be reached, so that neither hooks nor checkpointing could run there. The GPU does not wait for it:
// the thread only launches.
class OnThisThread {
 public:
  OnThisThread() { set(false); }
  ~OnThisThread() { set(before_); }
  OnThisThread(const OnThisThread&) = delete;
  OnThisThread& operator=(const OnThisThread&) = delete;

 private:
  static void set(bool enabled) { c10::AutogradState::get_tls_state().set_multithreading_enabled(enabled); }
  bool before_ = c10::AutogradState::get_tls_state().get_multithreading_enabled();
};

// in: [retain graph, create graph, outputs: count, handles …, gradients: count, handles | -1 …, inputs: count, handles …]
napi_value backward(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) -> napi_value {
    Reader reader(state);
    const bool retain = reader.word() != 0;
    const bool create = reader.word() != 0;
    const variable_list outputs = readTensors(reader);
    const variable_list gradients = readTensors(reader);
    const variable_list inputs = readTensors(reader);
    const OnThisThread single;
    torch::autograd::backward(outputs, gradients, retain, create, inputs);
    return nullptr;
  });
}

// As backward, plus [allow unused] after create graph; out: [count, tagged tensors …]
napi_value grad(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) -> napi_value {
    Reader reader(state);
    const bool retain = reader.word() != 0;
    const bool create = reader.word() != 0;
    const bool allowUnused = reader.word() != 0;
    const variable_list outputs = readTensors(reader);
    const variable_list gradients = readTensors(reader);
    const variable_list inputs = readTensors(reader);
    const OnThisThread single;
    variable_list results = torch::autograd::grad(outputs, inputs, gradients, retain, create, allowUnused);
    Writer writer(state);
    writer.word(static_cast<double>(results.size()));
    for (auto& result : results) writer.tensor(std::move(result));
    return nullptr;
  });
}

// in: [handle, 0 | 1]
napi_value setRequiresGrad(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) -> napi_value {
    Reader reader(state);
    at::Tensor& tensor = reader.tensor();
    tensor.requires_grad_(reader.word() != 0);
    return nullptr;
  });
}

// in: [handle]; out: [tensor | none]
napi_value gradientOf(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) -> napi_value {
    const at::Tensor gradient = Reader(state).tensor().grad();
    Writer(state).tensor(gradient);
    return nullptr;
  });
}

// in: [handle, gradient handle | -1]
napi_value setGradient(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) -> napi_value {
    Reader reader(state);
    const at::Tensor tensor = reader.tensor();
    const double handle = reader.word();
    const at::Tensor gradient = handle < 0 ? at::Tensor() : state.tensor(handle);
    if (gradient.defined() && (gradient.scalar_type() != tensor.scalar_type() || gradient.device() != tensor.device() || !gradient.sizes().equals(tensor.sizes())))
      throw BindingError("the gradient of " + describe(tensor) + " must be like it but is " + describe(gradient));
    if (gradient.defined() && gradient.is_same(tensor)) throw BindingError("a tensor cannot be its own gradient");
    tensor.mutable_grad() = gradient;
    return nullptr;
  });
}

// in: [0 | 1] → what it was before
napi_value setGradEnabled(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) {
    const bool enabled = Reader(state).word() != 0;
    napi_value previous;
    checkStatus(env, napi_get_boolean(env, c10::GradMode::is_enabled(), &previous));
    c10::GradMode::set_enabled(enabled);
    return previous;
  });
}

napi_value isGradEnabled(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env&) {
    napi_value result;
    checkStatus(env, napi_get_boolean(env, c10::GradMode::is_enabled(), &result));
    return result;
  });
}

napi_value enterInferenceMode(napi_env env, napi_callback_info) {
  return guarded(env, [](Env& state) -> napi_value {
    state.guards.push_back(std::make_shared<c10::InferenceMode>(true));
    return nullptr;
  });
}

napi_value leaveInferenceMode(napi_env env, napi_callback_info) {
  return guarded(env, [](Env& state) -> napi_value {
    if (state.guards.empty()) throw BindingError("no inference mode is open");
    state.guards.pop_back();
    return nullptr;
  });
}

std::shared_ptr<Callback> callbackArgument(Env& state, napi_callback_info info) {
  size_t count = 1;
  napi_value function;
  napi_get_cb_info(state.env, info, &count, &function, nullptr, nullptr);
  napi_valuetype type;
  napi_typeof(state.env, function, &type);
  if (type != napi_function) throw BindingError("expected a function");
  return std::make_shared<Callback>(state, function);
}

// registerHook(f); in: [handle, 1 = after the gradient was accumulated]; out: [hook id]
napi_value registerHook(napi_env env, napi_callback_info info) {
  return guarded(env, [&](Env& state) -> napi_value {
    Reader reader(state);
    at::Tensor tensor = reader.tensor();
    const bool afterAccumulate = reader.word() != 0;
    auto callback = callbackArgument(state, info);
    if (afterAccumulate) {
      if (!tensor.is_leaf()) throw BindingError("only a leaf accumulates a gradient");
      struct Hook : torch::autograd::PostAccumulateGradHook {
        std::shared_ptr<Callback> callback;
        void operator()(const torch::autograd::Variable& leaf) override { (*callback)({leaf}); }
      };
      auto hook = std::make_unique<Hook>();
      hook->callback = std::move(callback);
      torch::autograd::impl::set_post_acc_grad_hooks(tensor, std::move(hook));
      return nullptr;
    }
    tensor.register_hook([callback](const at::Tensor& gradient) -> at::Tensor {
      auto replaced = (*callback)({gradient});
      return replaced.empty() ? at::Tensor() : replaced[0];
    });
    return nullptr;
  });
}

// A node of the graph whose backward is a TypeScript function: gradients of the outputs in, of the inputs out.
struct FunctionNode : torch::autograd::Node {
  std::shared_ptr<Callback> callback;
  std::string label;
  bool released = false;

  variable_list apply(variable_list&& gradients) override {
    if (released) throw BindingError("backward a second time through " + label + "; pass retainGraph: true to the first");
    auto results = (*callback)(gradients);
    if (results.size() != num_outputs())
      throw BindingError(label + ": backward returned " + std::to_string(results.size()) + " gradients for " + std::to_string(num_outputs()) + " inputs");
    return results;
  }
  void release_variables() override {
    released = true;
    callback.reset();
  }
  std::string name() const override { return label; }
};

// Nodes are held by intrusive pointers in newer versions of libtorch and by shared pointers in older ones, whose
// deleter must not recurse through a long graph.
template <typename T>
auto makeNode() {
  using Pointer = decltype(torch::autograd::Edge::function);
  if constexpr (std::is_same_v<Pointer, std::shared_ptr<torch::autograd::Node>>) {
    return std::shared_ptr<T>(new T(), [](auto* node) { deleteNode(node); });
  } else {
    return c10::make_intrusive<T>();
  }
}

// customFunction(backward); in: [inputs: count, handles …, outputs: count, handles …]
// The outputs, computed without a graph, are given this function as their history.
napi_value customFunction(napi_env env, napi_callback_info info) {
  return guarded(env, [&](Env& state) -> napi_value {
    Reader reader(state);
    const variable_list inputs = readTensors(reader);
    variable_list outputs = readTensors(reader);
    auto callback = callbackArgument(state, info);
    if (!c10::GradMode::is_enabled() || !torch::autograd::any_variable_requires_grad(inputs)) return nullptr;
    auto node = makeNode<FunctionNode>();
    node->callback = std::move(callback);
    node->label = "TypeScriptFunction";
    node->set_next_edges(torch::autograd::collect_next_edges(inputs));
    for (auto& output : outputs) {
      if (output.grad_fn()) throw BindingError("an output of a custom function already has a history; compute it inside noGrad()");
      if (output.is_leaf() && output.requires_grad()) throw BindingError("an output of a custom function is a leaf that requires a gradient");
      torch::autograd::set_history(output, node);
    }
    return nullptr;
  });
}

// in: [device type id, enabled, dtype id]; out: [enabled before, dtype id before]
napi_value setAutocast(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) -> napi_value {
    Reader reader(state);
    const auto device = c10::Device(reader.string()).type();
    const bool enabled = reader.word() != 0;
    const auto type = dtypeOf(reader.string());
    const bool before = at::autocast::is_autocast_enabled(device);
    const auto typeBefore = at::autocast::get_autocast_dtype(device);
    at::autocast::set_autocast_enabled(device, enabled);
    at::autocast::set_autocast_dtype(device, type);
    at::autocast::increment_nesting();
    Writer writer(state);
    writer.word(before);
    writer.word(state.intern(dtypeName(typeBefore)));
    return nullptr;
  });
}

// in: [device type id]; out: [enabled, dtype id]
napi_value autocastState(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) -> napi_value {
    const auto device = c10::Device(Reader(state).string()).type();
    Writer writer(state);
    writer.word(at::autocast::is_autocast_enabled(device));
    writer.word(state.intern(dtypeName(at::autocast::get_autocast_dtype(device))));
    return nullptr;
  });
}

// in: [device type id, enabled, dtype id]: puts back what setAutocast returned; the outermost call drops the cached casts.
napi_value restoreAutocast(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) -> napi_value {
    Reader reader(state);
    const auto device = c10::Device(reader.string()).type();
    const bool enabled = reader.word() != 0;
    const auto type = dtypeOf(reader.string());
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(device, enabled);
    at::autocast::set_autocast_dtype(device, type);
    return nullptr;
  });
}

}  // namespace

void registerAutograd(napi_env env, napi_value exports) {
  setFunction(env, exports, "backward", backward);
  setFunction(env, exports, "grad", grad);
  setFunction(env, exports, "setRequiresGrad", setRequiresGrad);
  setFunction(env, exports, "gradientOf", gradientOf);
  setFunction(env, exports, "setGradient", setGradient);
  setFunction(env, exports, "setGradEnabled", setGradEnabled);
  setFunction(env, exports, "isGradEnabled", isGradEnabled);
  setFunction(env, exports, "enterInferenceMode", enterInferenceMode);
  setFunction(env, exports, "leaveInferenceMode", leaveInferenceMode);
  setFunction(env, exports, "registerHook", registerHook);
  setFunction(env, exports, "customFunction", customFunction);
  setFunction(env, exports, "autocastState", autocastState);
  setFunction(env, exports, "setAutocast", setAutocast);
  setFunction(env, exports, "restoreAutocast", restoreAutocast);
}

}  // namespace perennial
