// build: -fopenmp
// Output layer and cross-entropy in one, a few rows of logits at a time; gradients are made in the same pass. In bfloat16
// (inside autocast, or by the dtype of the hidden states) the factors of the products are rounded, the rest is float32.
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/scalar_tensor.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "kernels.hpp"
#include "parallel.hpp"
#include "products.hpp"

namespace perennial::fused {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

// No more than this many bytes of logits are ever alive, unless so few rows would not keep a matrix product busy.
constexpr int64_t kLogitBytes = 16 << 20;
constexpr int64_t kFewestRows = 256;

struct LinearCrossEntropy : Function<LinearCrossEntropy> {
  // hidden [N,D], weight [V,D], labels [N] → Σ over counted labels of (loss + zLoss · (log Z)²), and Σ loss alone.
  static variable_list forward(AutogradContext* ctx, const at::Tensor& hiddenInput, const at::Tensor& weightInput, const at::Tensor& labelsInput, int64_t ignoreIndex, double zLoss, bool needsGradient) {
    const bool low = autocastsToBf16() || isBf16(hiddenInput) || isBf16(weightInput);
    const auto factors = low && multipliesBf16() ? at::kBFloat16 : at::kFloat;
    const auto hidden = (low ? hiddenInput.to(at::kBFloat16) : hiddenInput).to(factors).contiguous();
    const auto weight = (low ? bf16Copy(weightInput) : weightInput).to(factors).contiguous();
    const auto labels = labelsInput.contiguous();
    const int64_t N = hidden.size(0), V = weight.size(0);
    const int64_t chunk = std::max<int64_t>(1, std::min<int64_t>(N, std::max(kFewestRows, kLogitBytes / (4 * std::max<int64_t>(1, V)))));
    auto buffer = at::empty({chunk, V}, hidden.options().dtype(at::kFloat));
    at::Tensor dHidden, dWeight;
    if (needsGradient) {
      dHidden = at::empty(hidden.sizes(), hiddenInput.options());
      dWeight = at::empty(weight.sizes(), weightInput.options());
    }
    const int64_t* label = labels.const_data_ptr<int64_t>();
    std::vector<double> loss(static_cast<size_t>(N), 0.0), penalty(static_cast<size_t>(N), 0.0);
    for (int64_t start = 0; start < N; start += chunk) {
      const int64_t count = std::min(chunk, N - start);
      auto logits = buffer.narrow(0, 0, count);
      const auto rows = hidden.narrow(0, start, count);
      product(logits, rows, weight.t());
      float* data = logits.data_ptr<float>();
      at::parallel_for(0, count, grain(V), [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          float* row = data + i * V;
          const int64_t target = label[start + i];
          if (target == ignoreIndex) {
            if (needsGradient) std::fill(row, row + V, 0.0f);
            continue;
          }
          TORCH_CHECK(target >= 0 && target < V, "linear_cross_entropy: label ", target, " at position ", start + i, " is outside of the vocabulary of ", V);
          const float logit = row[target];
          float max, sum;
          exponentialRow(row, V, &max, &sum);
          const double logZ = static_cast<double>(max) + std::log(static_cast<double>(sum));
          loss[static_cast<size_t>(start + i)] = logZ - static_cast<double>(logit);
          penalty[static_cast<size_t>(start + i)] = zLoss * logZ * logZ;
          if (!needsGradient) continue;
          scaleRows(row, V, row, V, 1, V, static_cast<float>(1.0 + 2.0 * zLoss * logZ) / sum);
          row[target] -= 1.0f;
        }
      });
      if (!needsGradient) continue;
      const auto gradient = logits.to(factors);
      product(dHidden.narrow(0, start, count), gradient, weight);
      product(dWeight, gradient.t(), rows, start != 0);
    }
    double total = 0, extra = 0;
    for (int64_t i = 0; i < N; ++i) {
      total += loss[static_cast<size_t>(i)];
      extra += penalty[static_cast<size_t>(i)];
    }
    if (needsGradient) ctx->save_for_backward({dHidden, dWeight});
    auto reported = at::scalar_tensor(total, at::kFloat);
    ctx->mark_non_differentiable({reported});
    return {at::scalar_tensor(total + extra, at::kFloat), reported};
  }

  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    auto saved = ctx->get_saved_variables();
    // The gradients were made with the loss; only its own gradient is missing. They belong to nobody else.
    const float factor = gradients[0].item<float>();
    if (factor != 1.0f)
      for (auto& gradient : saved) gradient.mul_(factor);
    return {saved[0], saved[1], at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

std::tuple<at::Tensor, at::Tensor> linearCrossEntropy(const at::Tensor& hidden, const at::Tensor& weight, const at::Tensor& labels, int64_t ignoreIndex, double zLoss) {
  TORCH_CHECK(hidden.dim() == 2 && weight.dim() == 2 && hidden.size(1) == weight.size(1), "linear_cross_entropy: expected hidden [N,D] and weight [V,D] but received ", hidden.sizes(), " and ", weight.sizes());
  TORCH_CHECK(labels.dim() == 1 && labels.size(0) == hidden.size(0) && labels.scalar_type() == at::kLong, "linear_cross_entropy: expected int64 labels of length ", hidden.size(0), " but received ", labels.toString(), " ", labels.sizes());
  TORCH_CHECK((isFloat(hidden) || isBf16(hidden)) && (isFloat(weight) || isBf16(weight)), "linear_cross_entropy: expected float32 or bfloat16 tensors on the CPU; compose it from linear and cross-entropy for others");
  const bool needsGradient = at::GradMode::is_enabled() && (hidden.requires_grad() || weight.requires_grad());
  auto both = LinearCrossEntropy::apply(hidden, weight, labels, ignoreIndex, zLoss, needsGradient);
  return {both[0], both[1]};
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(perennial, library) {
  library.def("linear_cross_entropy(Tensor hidden, Tensor weight, Tensor labels, int ignore_index=-100, float z_loss=0) -> (Tensor loss_sum, Tensor reported)", linearCrossEntropy);
}

}  // namespace perennial::fused
