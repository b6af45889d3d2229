// build: -fopenmp
// RMSNorm, alone or after the addition of a residual. The sum and the arithmetic are float32; inside autocast to bfloat16
// the normed output is rounded to it, since matrix products read it next.
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/rms_norm.h>
#include <ATen/ops/zeros.h>
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

// dw summed over threads in a fixed order: the same numbers on every run with the same number of threads.
struct WeightGradient {
  at::Tensor partial;  // [threads, n]
  explicit WeightGradient(int64_t n) : partial(at::zeros({at::get_num_threads(), n}, at::kFloat)) {}
  float* mine() { return partial.data_ptr<float>() + at::get_thread_num() * partial.size(1); }
  at::Tensor sum() const { return partial.sum(0); }
};

at::ScalarType outputType(const at::Tensor& x) { return autocastsToBf16() ? at::kBFloat16 : x.scalar_type(); }

// g: gradient of the normed output; extra: that of the sum, which may be undefined. Returns dx and dw.
std::pair<at::Tensor, at::Tensor> backwardOf(const at::Tensor& gradient, const at::Tensor& extraInput, const at::Tensor& x, const at::Tensor& w, const at::Tensor& r) {
  const auto g = gradient.contiguous();
  const auto extra = extraInput.defined() ? extraInput.contiguous() : extraInput;
  const int64_t n = x.size(-1), rows = n == 0 ? 0 : x.numel() / n;
  auto dx = at::empty_like(x);
  WeightGradient dw(n);
  const float *px = x.const_data_ptr<float>(), *pw = w.const_data_ptr<float>(), *pr = r.const_data_ptr<float>();
  const float* pe = extra.defined() ? extra.const_data_ptr<float>() : nullptr;
  float* pdx = dx.data_ptr<float>();
  withRows(g, [&](auto* pg) {
    at::parallel_for(0, rows, grain(n), [&](int64_t begin, int64_t end) {
      float* pdw = dw.mine();
      for (int64_t i = begin; i < end; ++i) rmsNormRowBackward(pg + i * n, px + i * n, pw, pr[i], pe == nullptr ? nullptr : pe + i * n, pdx + i * n, pdw, n);
    });
  });
  return {dx, dw.sum()};
}

struct RmsNorm : Function<RmsNorm> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& input, const at::Tensor& weight, double eps) {
    const auto x = input.contiguous(), w = weight.contiguous();
    const int64_t n = x.size(-1), rows = n == 0 ? 0 : x.numel() / n;
    auto y = at::empty(x.sizes(), x.options().dtype(outputType(x)));
    auto r = at::empty({rows}, x.options());
    const float *px = x.const_data_ptr<float>(), *pw = w.const_data_ptr<float>();
    float* pr = r.data_ptr<float>();
    withMutableRows(y, [&](auto* py) {
      at::parallel_for(0, rows, grain(n), [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) pr[i] = rmsNormRow(px + i * n, pw, py + i * n, n, static_cast<float>(eps));
      });
    });
    ctx->save_for_backward({x, w, r});
    return y;
  }

  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const auto saved = ctx->get_saved_variables();
    auto [dx, dw] = backwardOf(gradients[0], at::Tensor(), saved[0], saved[1], saved[2]);
    return {dx, dw, at::Tensor()};
  }
};

void checkWeight(const char* name, const at::Tensor& x, const at::Tensor& weight) {
  TORCH_CHECK(x.dim() >= 1 && weight.dim() == 1 && weight.size(0) == x.size(-1), name, ": expected a weight of length ", x.dim() == 0 ? 0 : x.size(-1), " but received ", weight.sizes());
}

at::Tensor rmsNorm(const at::Tensor& x, const at::Tensor& weight, double eps) {
  checkWeight("rms_norm", x, weight);
  if (isFloat(x) && isFloat(weight)) return RmsNorm::apply(x, weight, eps);
  if (isBf16(x) && isFloat(weight) && autocastsToBf16()) return RmsNorm::apply(x.to(at::kFloat), weight, eps);
  return at::rms_norm(x, weight.sizes(), weight, eps);
}

struct AddRmsNorm : Function<AddRmsNorm> {
  static variable_list forward(AutogradContext* ctx, const at::Tensor& input, const at::Tensor& residual, const at::Tensor& weight, double eps) {
    const auto x = input.contiguous(), z = residual.contiguous(), w = weight.contiguous();
    const int64_t n = x.size(-1), rows = n == 0 ? 0 : x.numel() / n;
    auto sum = at::empty_like(z), y = at::empty(z.sizes(), z.options().dtype(outputType(z)));
    auto r = at::empty({rows}, z.options());
    const float *pz = z.const_data_ptr<float>(), *pw = w.const_data_ptr<float>();
    float *ps = sum.data_ptr<float>(), *pr = r.data_ptr<float>();
    withRows(x, [&](auto* px) {
      withMutableRows(y, [&](auto* py) {
        at::parallel_for(0, rows, grain(n), [&](int64_t begin, int64_t end) {
          for (int64_t i = begin; i < end; ++i) pr[i] = addRmsNormRow(px + i * n, pz + i * n, pw, ps + i * n, py + i * n, n, static_cast<float>(eps));
        });
      });
    });
    ctx->save_for_backward({sum, w, r});
    ctx->saved_data["type"] = static_cast<int64_t>(x.scalar_type());
    return {sum, y};
  }

  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const auto saved = ctx->get_saved_variables();
    const auto type = static_cast<at::ScalarType>(ctx->saved_data["type"].toInt());
    if (!gradients[1].defined()) return {gradients[0].to(type), gradients[0], at::Tensor(), at::Tensor()};
    auto [dx, dw] = backwardOf(gradients[1], gradients[0], saved[0], saved[1], saved[2]);
    return {dx.to(type), dx, dw, at::Tensor()};
  }
};

std::tuple<at::Tensor, at::Tensor> addRmsNorm(const at::Tensor& x, const at::Tensor& residual, const at::Tensor& weight, double eps) {
  TORCH_CHECK(x.sizes() == residual.sizes(), "add_rms_norm: x is ", x.sizes(), " but the residual ", residual.sizes());
  checkWeight("add_rms_norm", x, weight);
  if ((isFloat(x) || isBf16(x)) && isFloat(residual) && isFloat(weight)) {
    auto both = AddRmsNorm::apply(x, residual, weight, eps);
    return {both[0], both[1]};
  }
  auto sum = x + residual;
  return {sum, rmsNorm(sum, weight, eps)};
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(perennial, library) {
  library.def("rms_norm(Tensor x, Tensor weight, float eps) -> Tensor", rmsNorm);
  library.def("add_rms_norm(Tensor x, Tensor residual, Tensor weight, float eps) -> (Tensor sum, Tensor normed)", addRmsNorm);
}

}  // namespace perennial::fused
