// Gradients summed over all processes, in buckets that travel while backward still runs.
//
// Buckets hold the parameters in reverse order, about the order in which backward reaches them. A bucket is sent when all
// its gradients are there and all buckets before it are on their way: collectives must start in the same order in every
// process, whatever the order of its gradients. Behind the gradients a bucket carries one mark per parameter, 1 where this
// process has a gradient: a parameter that no process has used keeps none, one that another process has used gets the sum.
#include <ATen/Functions.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include "distributed.hpp"

namespace perennial {
namespace {

class Reducer : public std::enable_shared_from_this<Reducer> {
 public:
  Reducer(std::shared_ptr<Group> group, std::vector<at::Tensor> parameters, size_t bucketBytes) : group_(std::move(group)), parameters_(std::move(parameters)) {
    slots_.resize(parameters_.size());
    for (size_t i = parameters_.size(); i-- > 0;) place(i, bucketBytes);
    for (auto& bucket : buckets_)
      bucket.flat = at::zeros({bucket.length + static_cast<int64_t>(bucket.members.size())}, parameters_[bucket.members[0]].options().requires_grad(false));
  }

  void watch() {
    for (size_t i = 0; i < parameters_.size(); ++i) {
      auto hook = std::make_unique<Hook>();
      hook->reducer = weak_from_this();
      hook->index = i;
      hook->before = std::move(torch::autograd::impl::post_acc_grad_hooks(parameters_[i]));
      hooks_.push_back(hook.get());
      torch::autograd::impl::set_post_acc_grad_hooks(parameters_[i], std::move(hook));
    }
  }

  void unwatch() {
    for (size_t i = 0; i < hooks_.size(); ++i) {
      // A hook that was set after ours stays.
      if (torch::autograd::impl::post_acc_grad_hooks(parameters_[i]).get() != hooks_[i]) continue;
      auto before = std::move(hooks_[i]->before);
      torch::autograd::impl::set_post_acc_grad_hooks(parameters_[i], std::move(before));
    }
    hooks_.clear();
  }

  // The backward that follows is the last one of the step.
  void begin() {
    std::lock_guard<std::mutex> lock(mutex_);
    if (armed_) throw BindingError("begin() was called already; finish() ends the step");
    reset();
    armed_ = true;
  }

  // Sends what is not on its way yet, waits, and puts the sums in the gradients' place.
  void finish() {
    std::lock_guard<std::mutex> lock(mutex_);
    c10::NoGradGuard noGrad;
    if (!armed_) reset();
    armed_ = false;
    while (next_ < buckets_.size()) send(buckets_[next_++]);
    for (auto& bucket : buckets_) {
      bucket.work->wait();
      bucket.work.reset();
      receive(bucket);
    }
  }

 private:
  struct Slot {
    size_t bucket = 0;
    int64_t offset = 0;
    bool ready = false;
  };
  struct Bucket {
    std::vector<size_t> members;
    int64_t length = 0;  // elements, without the marks
    size_t missing = 0;
    at::Tensor flat;
    c10::intrusive_ptr<c10d::Work> work;
  };
  struct Hook : torch::autograd::PostAccumulateGradHook {
    std::weak_ptr<Reducer> reducer;
    size_t index = 0;
    std::unique_ptr<torch::autograd::PostAccumulateGradHook> before;
    void operator()(const torch::autograd::Variable& parameter) override {
      if (before) (*before)(parameter);
      if (const auto owner = reducer.lock()) owner->arrived(index);
    }
  };

  void place(size_t i, size_t bucketBytes) {
    const auto& parameter = parameters_[i];
    const bool fits = !buckets_.empty() && [&] {
      const auto& last = parameters_[buckets_.back().members[0]];
      return last.scalar_type() == parameter.scalar_type() && last.device() == parameter.device() &&
             static_cast<size_t>(buckets_.back().length + parameter.numel()) * parameter.element_size() <= bucketBytes;
    }();
    if (!fits) buckets_.emplace_back();
    auto& bucket = buckets_.back();
    slots_[i].bucket = buckets_.size() - 1;
    slots_[i].offset = bucket.length;
    bucket.members.push_back(i);
    bucket.length += parameter.numel();
  }

  void reset() {
    next_ = 0;
    for (auto& slot : slots_) slot.ready = false;
    for (auto& bucket : buckets_) bucket.missing = bucket.members.size();
  }

  void arrived(size_t i) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!armed_) return;
    auto& slot = slots_[i];
    if (slot.ready) {
      if (slot.bucket >= next_) return;  // read when the bucket is sent
      throw BindingError("parameter " + std::to_string(i) +
                         " received a gradient after its bucket was sent, as a parameter shared by checkpointed parts does; create the reducer with overlap: false");
    }
    slot.ready = true;
    --buckets_[slot.bucket].missing;
    while (next_ < buckets_.size() && buckets_[next_].missing == 0) send(buckets_[next_++]);
  }

  at::Tensor view(const Bucket& bucket, size_t i) const {
    return bucket.flat.narrow(0, slots_[i].offset, parameters_[i].numel()).view(parameters_[i].sizes());
  }

  void send(Bucket& bucket) {
    c10::NoGradGuard noGrad;
    // Marks are filled on the device: a copy from here would wait for it.
    const at::Tensor marks = bucket.flat.narrow(0, bucket.length, static_cast<int64_t>(bucket.members.size())).fill_(1);
    for (size_t n = 0; n < bucket.members.size(); ++n) {
      const size_t i = bucket.members[n];
      const at::Tensor& gradient = parameters_[i].grad();
      if (!gradient.defined()) {
        view(bucket, i).zero_();
        marks[static_cast<int64_t>(n)].zero_();
      } else if (gradient.layout() == at::kStrided) {
        view(bucket, i).copy_(gradient);
      } else {
        throw BindingError("the gradient of parameter " + std::to_string(i) + " is sparse; only dense ones can be summed");
      }
    }
    std::vector<at::Tensor> tensors{bucket.flat};
    bucket.work = group_->backend->allreduce(tensors);
  }

  void receive(Bucket& bucket) {
    at::Tensor marks;  // read only where a gradient is missing: on a GPU it means waiting for it
    for (size_t n = 0; n < bucket.members.size(); ++n) {
      const size_t i = bucket.members[n];
      at::Tensor& gradient = parameters_[i].mutable_grad();
      if (gradient.defined()) {
        gradient.copy_(view(bucket, i));
        continue;
      }
      if (!marks.defined()) marks = bucket.flat.narrow(0, bucket.length, static_cast<int64_t>(bucket.members.size())).to(at::kCPU, at::kFloat);
      if (marks[static_cast<int64_t>(n)].item<float>() > 0) gradient = view(bucket, i).clone();
    }
  }

  std::shared_ptr<Group> group_;
  std::vector<at::Tensor> parameters_;
  std::vector<Slot> slots_;
  std::vector<Bucket> buckets_;
  std::vector<Hook*> hooks_;
  std::mutex mutex_;  // backward of CUDA tensors runs on a thread of its own
  bool armed_ = false;
  size_t next_ = 0;  // the first bucket that was not sent
};

// Each environment has a thread of its own, and its own reducers.
Table<std::shared_ptr<Reducer>>& reducers() {
  static thread_local auto* const all = new Table<std::shared_ptr<Reducer>>();
  return *all;
}

std::shared_ptr<Reducer> reducerOf(double handle) {
  auto* const found = reducers().find(handle);
  if (found == nullptr) throw BindingError("the gradient reducer was disposed of");
  return *found;
}

// in: [group, bucket bytes, overlap, count, handles …] → reducer
napi_value createReducer(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) {
    Reader reader(state);
    auto group = groupOf(reader.word());
    const auto bucketBytes = static_cast<size_t>(reader.word());
    const bool overlap = reader.word() != 0;
    std::vector<at::Tensor> parameters(reader.count());
    for (auto& parameter : parameters) {
      parameter = reader.tensor();
      if (!parameter.is_leaf()) throw BindingError("only leaves have gradients of their own; " + describe(parameter) + " was computed");
    }
    auto reducer = std::make_shared<Reducer>(std::move(group), std::move(parameters), bucketBytes);
    if (overlap) reducer->watch();
    napi_value handle;
    checkStatus(env, napi_create_double(env, reducers().add(std::move(reducer)), &handle));
    return handle;
  });
}

// in: [reducer]
napi_value beginReduction(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) -> napi_value {
    reducerOf(Reader(state).word())->begin();
    return nullptr;
  });
}

// in: [reducer]
napi_value finishReduction(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) -> napi_value {
    reducerOf(Reader(state).word())->finish();
    return nullptr;
  });
}

// in: [reducer]
napi_value releaseReducer(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) -> napi_value {
    const double handle = Reader(state).word();
    if (auto* const found = reducers().find(handle)) (*found)->unwatch();
    reducers().remove(handle);
    return nullptr;
  });
}

}  // namespace

void registerReducer(napi_env env, napi_value exports) {
  setFunction(env, exports, "createReducer", createReducer);
  setFunction(env, exports, "beginReduction", beginReduction);
  setFunction(env, exports, "finishReduction", finishReduction);
  setFunction(env, exports, "releaseReducer", releaseReducer);
}

}  // namespace perennial
