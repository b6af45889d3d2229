#include "products.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/autocast_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <torch/csrc/autograd/variable.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <mutex>
#include <unordered_map>

namespace perennial::fused {

bool autocastsToBf16() { return at::autocast::is_autocast_enabled(at::kCPU) && at::autocast::get_autocast_dtype(at::kCPU) == at::kBFloat16; }

namespace {

int64_t bf16Products = -1;

bool hasBf16Units() {
#if defined(__x86_64__)
  // Leaf 7, subleaf 1, EAX bit 5: AVX512_BF16. Leaf 7, subleaf 0, EDX bit 22: AMX-BF16.
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a & (1u << 5)) != 0) return true;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d & (1u << 22)) != 0;
#else
  return true;  // libtorch knows better than we do
#endif
}

struct Copy {
  c10::weak_intrusive_ptr<c10::TensorImpl> weight;
  at::Tensor copy;
  uint32_t version;
};
std::mutex mutex;
std::unordered_map<c10::TensorImpl*, Copy>& copies() {
  static auto* map = new std::unordered_map<c10::TensorImpl*, Copy>();  // never destroyed: tensors may outlive static objects
  return *map;
}

// The entry of this very tensor; an address may have been used before.
Copy* find(const at::Tensor& weight) {
  const auto entry = copies().find(weight.unsafeGetTensorImpl());
  return entry == copies().end() || entry->second.weight.expired() ? nullptr : &entry->second;
}

}  // namespace

bool multipliesBf16() {
  static const bool units = hasBf16Units();
  return bf16Products < 0 ? units : bf16Products == 1;
}

void chooseBf16Products(int64_t choice) { bf16Products = choice; }

void product(const at::Tensor& out, const at::Tensor& a, const at::Tensor& b, bool accumulate) {
  const bool low = a.scalar_type() == at::kBFloat16 || b.scalar_type() == at::kBFloat16;
  const auto type = low && multipliesBf16() ? at::kBFloat16 : at::kFloat;
  // Dense views keep their strides, so a transposed one is widened in the order of its memory.
  const auto left = a.to(type), right = b.to(type);
  auto target = out;
  if (out.scalar_type() == type) {
    if (accumulate) target.addmm_(left, right);
    else at::mm_out(target, left, right);
    return;
  }
  auto result = at::empty({a.size(0), b.size(1)}, left.options());
  at::mm_out(result, left, right);
  if (accumulate) target.add_(result);
  else target.copy_(result);
}

at::Tensor bf16Copy(const at::Tensor& weight) {
  if (weight.scalar_type() == at::kBFloat16) return weight;
  const at::AutoDispatchBelowADInplaceOrView belowAutograd;
  if (!weight.is_leaf() || weight.is_inference() || !weight.is_contiguous()) return weight.detach().to(at::kBFloat16);
  const std::lock_guard<std::mutex> lock(mutex);
  const uint32_t version = weight._version();
  if (Copy* known = find(weight)) {
    if (known->version != version) known->copy.copy_(weight);
    known->version = version;
    return known->copy;
  }
  for (auto entry = copies().begin(); entry != copies().end();) entry = entry->second.weight.expired() ? copies().erase(entry) : std::next(entry);
  auto copy = weight.detach().to(at::kBFloat16);
  copies().insert_or_assign(weight.unsafeGetTensorImpl(), Copy{c10::weak_intrusive_ptr<c10::TensorImpl>(weight.getIntrusivePtr()), copy, version});
  return copy;
}

at::Tensor standingCopy(const at::Tensor& weight) {
  const std::lock_guard<std::mutex> lock(mutex);
  Copy* known = find(weight);
  return known == nullptr ? at::Tensor() : known->copy;
}

void copyIsCurrent(const at::Tensor& weight) {
  const std::lock_guard<std::mutex> lock(mutex);
  if (Copy* known = find(weight)) known->version = weight._version();
}

}  // namespace perennial::fused
