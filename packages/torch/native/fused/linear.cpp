// y = x Wᵀ + b with float32 weights. Inside autocast to bfloat16: x and the standing bfloat16 copy of W are multiplied, y is
// bfloat16, and the gradient reaches the float32 weight without having been rounded on the way.
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "products.hpp"

namespace perennial::fused {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

at::Tensor rowsOf(const at::Tensor& x) { return x.reshape({-1, x.size(-1)}); }

struct Bf16Linear : Function<Bf16Linear> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& weight, const std::optional<at::Tensor>& bias) {
    const auto low = x.to(at::kBFloat16);
    const auto copy = bf16Copy(weight);
    auto sizes = x.sizes().vec();
    sizes.back() = weight.size(0);
    auto y = at::empty(sizes, low.options());
    product(rowsOf(y), rowsOf(low), copy.t());
    if (bias.has_value()) y.add_(*bias);
    // The weight is saved beside its copy so that a change of it before backward is noticed.
    ctx->save_for_backward({low, weight, copy});
    ctx->saved_data["type"] = static_cast<int64_t>(x.scalar_type());
    ctx->saved_data["bias"] = bias.has_value();
    return y;
  }

  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const auto saved = ctx->get_saved_variables();
    const auto &x = saved[0], &weight = saved[1], &copy = saved[2];
    const auto g = rowsOf(gradients[0]);
    at::Tensor dx, dWeight, dBias;
    if (ctx->needs_input_grad(0)) {
      dx = at::empty(x.sizes(), x.options().dtype(static_cast<at::ScalarType>(ctx->saved_data["type"].toInt())));
      product(rowsOf(dx), g, copy);
    }
    if (ctx->needs_input_grad(1)) {
      dWeight = at::empty(weight.sizes(), weight.options());
      product(dWeight, g.t(), rowsOf(x));
    }
    if (ctx->saved_data["bias"].toBool() && ctx->needs_input_grad(2)) dBias = g.sum(0, false, at::kFloat);
    return {dx, dWeight, dBias};
  }
};

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const std::optional<at::Tensor>& bias) {
  const bool low = autocastsToBf16() && (isFloat(x) || isBf16(x)) && isFloat(weight) && weight.dim() == 2 && x.dim() >= 1 && x.size(-1) == weight.size(1);
  return low ? Bf16Linear::apply(x, weight, bias) : at::linear(x, weight, bias);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(perennial, library) {
  library.def("linear(Tensor x, Tensor weight, Tensor? bias=None) -> Tensor", linear);
  library.def("multiplies_bf16() -> bool", multipliesBf16);
  library.def("choose_bf16_products(int choice) -> ()", chooseBf16Products);
}

}  // namespace perennial::fused
