// build: -fopenmp
// AdamW and the global norm over lists of tensors.
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/scalar_tensor.h>
#include <torch/library.h>

#include "kernels.hpp"
#include "products.hpp"

namespace perennial::fused {
namespace {

// Tensors of any sizes as equal tasks: one long row of elements, cut where threads need it.
template <typename F>
void overElements(at::TensorList tensors, F body) {
  constexpr int64_t kPiece = 1 << 15;
  std::vector<std::pair<size_t, int64_t>> pieces;
  for (size_t i = 0; i < tensors.size(); ++i)
    for (int64_t start = 0; start < tensors[i].numel(); start += kPiece) pieces.emplace_back(i, start);
  at::parallel_for(0, static_cast<int64_t>(pieces.size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) {
      const auto [i, start] = pieces[static_cast<size_t>(p)];
      body(i, start, std::min(kPiece, tensors[i].numel() - start), static_cast<size_t>(p));
    }
  });
}

void checkFlat(at::TensorList tensors, const char* name) {
  for (const auto& t : tensors) TORCH_CHECK(isFloat(t) && t.is_contiguous(), name, ": expected contiguous float32 tensors on the CPU");
}

// A weight that has a bfloat16 copy gets both written in the same pass.
void adamw(at::TensorList weights, at::TensorList gradients, at::TensorList firsts, at::TensorList seconds, double learningRate, double beta1, double beta2, double eps, double decay, int64_t step, double gradScale) {
  TORCH_CHECK(weights.size() == gradients.size() && weights.size() == firsts.size() && weights.size() == seconds.size(), "adamw: the lists differ in length");
  for (const auto& list : {weights, gradients, firsts, seconds}) checkFlat(list, "adamw");
  for (size_t i = 0; i < weights.size(); ++i)
    TORCH_CHECK(weights[i].numel() == gradients[i].numel() && weights[i].numel() == firsts[i].numel() && weights[i].numel() == seconds[i].numel(), "adamw: tensors ", i, " differ in size");
  const AdamW settings{static_cast<float>(learningRate), static_cast<float>(beta1), static_cast<float>(beta2), static_cast<float>(eps), static_cast<float>(decay),
                       static_cast<float>(1.0 - std::pow(beta1, static_cast<double>(step))), static_cast<float>(std::sqrt(1.0 - std::pow(beta2, static_cast<double>(step)))), static_cast<float>(gradScale)};
  std::vector<at::Tensor> copies;
  for (const auto& weight : weights) copies.push_back(standingCopy(weight));
  overElements(weights, [&](size_t i, int64_t start, int64_t count, size_t) {
    float *w = weights[i].data_ptr<float>() + start, *m = firsts[i].data_ptr<float>() + start, *v = seconds[i].data_ptr<float>() + start;
    const float* g = gradients[i].const_data_ptr<float>() + start;
    if (copies[i].defined()) adamwRow(w, g, m, v, mutableBf16(copies[i]) + start, count, settings);
    else adamwRow(w, g, m, v, count, settings);
  });
  for (size_t i = 0; i < weights.size(); ++i) {
    for (const auto& changed : {weights[i], firsts[i], seconds[i]}) changed.unsafeGetTensorImpl()->bump_version();
    copyIsCurrent(weights[i]);
  }
}

// √ Σ x² over all tensors, summed in a fixed order.
at::Tensor globalNorm(at::TensorList tensors) {
  checkFlat(tensors, "global_norm");
  int64_t pieces = 0;
  for (const auto& t : tensors) pieces += (t.numel() + (1 << 15) - 1) >> 15;
  std::vector<double> partial(static_cast<size_t>(pieces));
  overElements(tensors, [&](size_t i, int64_t start, int64_t count, size_t piece) { partial[piece] = sumOfSquaresRow(tensors[i].const_data_ptr<float>() + start, count); });
  double total = 0;
  for (const double sum : partial) total += sum;
  return at::scalar_tensor(std::sqrt(total), at::kFloat);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(perennial, library) {
  library.def("adamw(Tensor(a!)[] weights, Tensor[] gradients, Tensor(b!)[] firsts, Tensor(c!)[] seconds, float learning_rate, float beta1, float beta2, float eps, float decay, int step, float grad_scale) -> ()", adamw);
  library.def("global_norm(Tensor[] tensors) -> Tensor", globalNorm);
}

}  // namespace perennial::fused
