// Process groups and their collectives across the border.
#include "distributed.hpp"

#include <ATen/Functions.h>
#include <c10/core/GradMode.h>

#include <map>

namespace perennial {
namespace {

using Work = c10::intrusive_ptr<c10d::Work>;

// Never destroyed: threads of a group that is still open must not find its end in a static destructor.
struct OpenGroup {
  std::shared_ptr<Group> group;
  napi_env owner;
};
std::map<double, OpenGroup>& groups() {
  static auto* const all = new std::map<double, OpenGroup>();
  return *all;
}
std::mutex groupsMutex;

double addGroup(std::shared_ptr<Group> group, napi_env owner) {
  static double next = 0;
  std::lock_guard<std::mutex> lock(groupsMutex);
  groups().emplace(++next, OpenGroup{std::move(group), owner});
  return next;
}

std::shared_ptr<Group> takeGroup(double id) {
  std::lock_guard<std::mutex> lock(groupsMutex);
  const auto found = groups().find(id);
  if (found == groups().end()) return nullptr;
  auto group = std::move(found->second.group);
  groups().erase(found);
  return group;
}

// `work` runs on a pool thread, `finish` afterwards on JavaScript's; what either throws rejects the promise.
struct Pending {
  std::function<void()> work;
  std::function<napi_value(Env&)> finish;
  std::string error;
  napi_deferred deferred = nullptr;
  napi_async_work handle = nullptr;
};

napi_value promiseOf(Env& state, std::function<void()> work, std::function<napi_value(Env&)> finish) {
  napi_env env = state.env;
  auto pending = std::make_unique<Pending>();
  pending->work = std::move(work);
  pending->finish = std::move(finish);
  napi_value promise, name;
  checkStatus(env, napi_create_promise(env, &pending->deferred, &promise));
  checkStatus(env, napi_create_string_utf8(env, "torch.distributed", NAPI_AUTO_LENGTH, &name));
  checkStatus(env, napi_create_async_work(
      env, nullptr, name,
      [](napi_env, void* data) {
        auto* pending = static_cast<Pending*>(data);
        try {
          pending->work();
        } catch (const std::exception& error) {
          pending->error = messageOf(error);
          if (pending->error.empty()) pending->error = "an error without a message";
        }
      },
      [](napi_env done, napi_status, void* data) {
        std::unique_ptr<Pending> pending(static_cast<Pending*>(data));
        napi_value result = nullptr;
        if (pending->error.empty()) {
          try {
            result = pending->finish(envOf(done));
          } catch (const std::exception& error) {
            pending->error = messageOf(error);
          }
        }
        if (result != nullptr) {
          napi_resolve_deferred(done, pending->deferred, result);
        } else {
          napi_value message, code;
          napi_create_string_utf8(done, pending->error.data(), pending->error.size(), &message);
          napi_create_string_utf8(done, "TORCH", NAPI_AUTO_LENGTH, &code);
          napi_create_error(done, code, message, &result);
          napi_reject_deferred(done, pending->deferred, result);
        }
        napi_delete_async_work(done, pending->handle);
      },
      pending.get(), &pending->handle));
  checkStatus(env, napi_queue_async_work(env, pending->handle));
  pending.release();
  return promise;
}

// in: [backend id, rank, size, address id, port, interface id, connect timeout ms, timeout ms] → Promise of the group's id
napi_value connectGroup(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) {
    Reader reader(state);
    GroupOptions options;
    options.backend = reader.string();
    options.rank = static_cast<int>(reader.word());
    options.size = static_cast<int>(reader.word());
    options.address = reader.string();
    options.port = static_cast<uint16_t>(reader.word());
    options.networkInterface = reader.string();
    options.connectTimeout = std::chrono::milliseconds(static_cast<int64_t>(reader.word()));
    options.timeout = std::chrono::milliseconds(static_cast<int64_t>(reader.word()));
    auto id = std::make_shared<double>(0);
    return promiseOf(
        state, [options, id, env] { *id = addGroup(connect(options), env); }, [id](Env& done) { return toValue(done.env, *id); });
  });
}

// in: [group]: blocks until its threads have ended
napi_value destroyGroup(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) -> napi_value {
    takeGroup(Reader(state).word());
    return nullptr;
  });
}

// in: [name id] → whether the loaded libtorch has this backend
napi_value backendExists(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) {
    napi_value result;
    checkStatus(env, napi_get_boolean(env, hasBackend(Reader(state).string()), &result));
    return result;
  });
}

// `packages/torch/src/distributed/process-group.ts` holds the same numbers.
enum Operation : int { kAllReduce = 0, kBroadcast = 1, kAllGather = 2, kReduceScatter = 3, kGather = 4, kBarrier = 5 };
enum Reduction : int { kSum = 0, kMean = 1, kMax = 2, kMin = 3, kProduct = 4 };

// An operation under way. It holds the tensors that the backend's threads read and write.
struct Collective {
  Work work;  // none: there is nothing to exchange
  std::function<at::Tensor()> finish;
};

c10d::ReduceOp reductionOf(int reduction) {
  switch (reduction) {
    case kMax: return c10d::ReduceOp::MAX;
    case kMin: return c10d::ReduceOp::MIN;
    case kProduct: return c10d::ReduceOp::PRODUCT;
    default: return c10d::ReduceOp::SUM;  // a mean is a sum that is divided afterwards: not every backend averages
  }
}

std::vector<int64_t> withLeading(int64_t count, at::IntArrayRef sizes) {
  std::vector<int64_t> shape{count};
  shape.insert(shape.end(), sizes.begin(), sizes.end());
  return shape;
}

// Writes a result that was computed beside `target` back into it; saved copies for backward are told of the change.
void deliver(const at::Tensor& target, const at::Tensor& result) {
  if (!result.is_same(target)) target.copy_(result);
  else target.unsafeGetTensorImpl()->bump_version();
}

Collective start(Group& group, int operation, int argument, const at::Tensor& given) {
  auto& backend = *group.backend;
  if (operation == kBarrier) return {backend.barrier(), [] { return at::Tensor(); }};
  if (given.layout() != at::kStrided) throw BindingError("only dense tensors can be exchanged; this one is " + describe(given));
  const at::Tensor target = given.detach();
  const at::Tensor flat = target.contiguous();
  const bool empty = flat.numel() == 0;
  std::vector<at::Tensor> tensors{flat};
  switch (operation) {
    case kAllReduce: {
      if (argument == kMean && !flat.is_floating_point() && !flat.is_complex())
        throw BindingError("the mean of integers is not an integer; sum them, or convert " + describe(flat) + " to a floating dtype");
      c10d::AllreduceOptions options;
      options.reduceOp = reductionOf(argument);
      const int divisor = argument == kMean ? group.size : 1;
      return {empty ? Work() : backend.allreduce(tensors, options), [=] {
                if (divisor != 1) flat.div_(divisor);
                deliver(target, flat);
                return at::Tensor();
              }};
    }
    case kBroadcast: {
      c10d::BroadcastOptions options;
      options.rootRank = argument;
      return {empty ? Work() : backend.broadcast(tensors, options), [=] {
                deliver(target, flat);
                return at::Tensor();
              }};
    }
    case kAllGather: {
      const at::Tensor all = at::empty(withLeading(group.size, flat.sizes()), flat.options());
      std::vector<std::vector<at::Tensor>> parts{all.unbind()};
      return {empty ? Work() : backend.allgather(parts, tensors), [=] { return all; }};
    }
    case kGather: {
      c10d::GatherOptions options;
      options.rootRank = argument;
      at::Tensor all;
      std::vector<std::vector<at::Tensor>> parts;
      if (group.rank == argument) {
        all = at::empty(withLeading(group.size, flat.sizes()), flat.options());
        parts.push_back(all.unbind());
      }
      return {empty ? Work() : backend.gather(parts, tensors, options), [all, flat] { return all; }};
    }
    case kReduceScatter: {
      if (flat.dim() == 0 || flat.size(0) % group.size != 0)
        throw BindingError("the first size of " + describe(flat) + " must be a multiple of the " + std::to_string(group.size) + " processes");
      if (argument == kMean && !flat.is_floating_point()) throw BindingError("the mean of integers is not an integer; convert " + describe(flat) + " to a floating dtype");
      auto shape = flat.sizes().vec();
      shape[0] /= group.size;
      if (argument != kSum && argument != kMean && backend.getBackendName() == "gloo") {
        // Gloo's own reduces everything too, and in libtorch 2.6 it sums whatever it is asked for.
        const at::Tensor whole = flat.clone();
        std::vector<at::Tensor> wholes{whole};
        c10d::AllreduceOptions options;
        options.reduceOp = reductionOf(argument);
        const int64_t rows = shape[0], first = rows * group.rank;
        return {empty ? Work() : backend.allreduce(wholes, options), [=] { return whole.narrow(0, first, rows).clone(); }};
      }
      at::Tensor part = at::empty(shape, flat.options()), input = flat;
      c10d::ReduceScatterOptions options;
      options.reduceOp = reductionOf(argument);
      const int divisor = argument == kMean ? group.size : 1;
      return {empty ? Work() : backend._reduce_scatter_base(part, input, options), [=] {
                if (divisor != 1) part.div_(divisor);
                return part;
              }};
    }
    default:
      throw BindingError("unknown collective");
  }
}

// in: [group, operation, reduction or root, asynchronous, handle | -1]
// Synchronous: out [tensor | none]. Asynchronous → Promise of a handle, -1 for none. Calls start in the order made.
napi_value collective(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) -> napi_value {
    c10::NoGradGuard noGrad;
    Reader reader(state);
    auto group = groupOf(reader.word());
    const int operation = static_cast<int>(reader.word());
    const int argument = static_cast<int>(reader.word());
    const bool asynchronous = reader.word() != 0;
    const double handle = reader.word();
    const at::Tensor given = handle < 0 ? at::Tensor() : state.tensor(handle);
    const bool onCuda = given.defined() && given.is_cuda();
    auto started = std::make_shared<Collective>(start(*group, operation, argument, given));
    if (!asynchronous) {
      if (started->work) started->work->wait();
      Writer(state).tensor(started->finish());
      return nullptr;
    }
    ++group->inFlight;
    return promiseOf(
        state,
        [started, group] {
          struct Landing {
            Group& group;
            ~Landing() { --group.inFlight; }
          } landing{*group};
          if (started->work) started->work->wait();
        },
        [started, onCuda](Env& done) {
          c10::NoGradGuard noGrad;
          // On a GPU waiting means that a stream waits: the pool thread's did, now this thread's must.
          if (onCuda && started->work) started->work->wait();
          at::Tensor result = started->finish();
          return toValue(done.env, result.defined() ? done.tensors.add(std::move(result)) : -1.0);
        });
  });
}

// When an environment ends: its groups with work under way are left to the operating system, for that work may never end.
void closeGroups(void* environment) {
  std::vector<std::shared_ptr<Group>> closing;
  std::lock_guard<std::mutex> lock(groupsMutex);
  for (auto each = groups().begin(); each != groups().end();) {
    auto& [group, owner] = each->second;
    if (owner != environment) {
      ++each;
      continue;
    }
    if (group->inFlight > 0) new std::shared_ptr<Group>(group);
    closing.push_back(std::move(group));
    each = groups().erase(each);
  }
}

}  // namespace

std::shared_ptr<Group> groupOf(double id) {
  std::lock_guard<std::mutex> lock(groupsMutex);
  const auto found = groups().find(id);
  if (found == groups().end()) throw BindingError("the process group was destroyed");
  return found->second.group;
}

void registerDistributed(napi_env env, napi_value exports) {
  setFunction(env, exports, "connectGroup", connectGroup);
  setFunction(env, exports, "destroyGroup", destroyGroup);
  setFunction(env, exports, "backendExists", backendExists);
  setFunction(env, exports, "collective", collective);
  registerReducer(env, exports);
  checkStatus(env, napi_add_env_cleanup_hook(env, closeGroups, env));
}

}  // namespace perennial
