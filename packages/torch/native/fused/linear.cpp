// y_i = x W_iᵀ for several weights that read the same x (queries, keys and values; gate and up), and y = x Wᵀ + b. The gradients
// of x are summed inside the products. Inside autocast to bfloat16: x and the standing bfloat16 copies of the float32 weights are
// multiplied, outputs are bfloat16, and gradients reach the float32 weights without having been rounded on the way.
#include <ATen/TensorOperators.h>
#include <ATen/autocast_mode.h>
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

struct Linears : Function<Linears> {
  static variable_list forward(AutogradContext* ctx, const at::Tensor& input, at::TensorList weights, const std::optional<at::Tensor>& bias) {
    const bool low = autocastsToBf16();
    const auto x = low ? input.to(at::kBFloat16) : input;
    // Widened once for all products; without native products of bfloat16 that is what they read.
    const auto factor = low && !multipliesBf16() ? rowsOf(x).to(at::kFloat) : rowsOf(x);
    // Weights are saved beside their copies so that a change of them before backward is noticed.
    variable_list outputs, saved{x};
    for (const auto& weight : weights) {
      const auto copy = low ? bf16Copy(weight) : weight;
      auto sizes = x.sizes().vec();
      sizes.back() = weight.size(0);
      outputs.push_back(at::empty(sizes, x.options()));
      product(rowsOf(outputs.back()), factor, copy.t());
      saved.push_back(weight);
      if (low) saved.push_back(copy);
    }
    if (bias.has_value()) outputs[0].add_(*bias);
    ctx->save_for_backward(saved);
    ctx->saved_data["low"] = low;
    ctx->saved_data["type"] = static_cast<int64_t>(input.scalar_type());
    ctx->saved_data["bias"] = bias.has_value();
    return outputs;
  }

  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const auto saved = ctx->get_saved_variables();
    const bool low = ctx->saved_data["low"].toBool();
    const auto& x = saved[0];
    const bool widens = low && !multipliesBf16();
    const size_t stride = low ? 2 : 1, count = (saved.size() - 1) / stride;
    at::Tensor factor, dx;
    variable_list result(count + 2);
    for (size_t i = 0; i < count; ++i) {
      if (!gradients[i].defined()) continue;
      const auto &weight = saved[1 + stride * i], &copy = saved[stride * (i + 1)];
      auto g = rowsOf(gradients[i]);
      if (widens) g = g.to(at::kFloat);
      if (ctx->needs_input_grad(0)) {
        const bool first = !dx.defined();
        if (first) dx = at::empty({g.size(0), weight.size(1)}, x.options().dtype(at::kFloat));
        product(dx, g, copy, !first);
      }
      if (ctx->needs_input_grad(1 + i)) {
        if (!factor.defined()) factor = widens ? rowsOf(x).to(at::kFloat) : rowsOf(x);
        result[1 + i] = at::empty(weight.sizes(), weight.options());
        product(result[1 + i], g.t(), factor);
      }
      if (ctx->saved_data["bias"].toBool() && ctx->needs_input_grad(1 + count)) result[1 + count] = g.sum(0, false, at::kFloat);
    }
    if (dx.defined()) result[0] = dx.to(static_cast<at::ScalarType>(ctx->saved_data["type"].toInt())).view(x.sizes());
    return result;
  }
};

bool fits(const at::Tensor& x, const at::Tensor& weight) { return isFloat(weight) && weight.dim() == 2 && x.dim() >= 1 && x.size(-1) == weight.size(1); }
bool isLow(const at::Tensor& x) { return autocastsToBf16() && (isFloat(x) || isBf16(x)); }

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const std::optional<at::Tensor>& bias) {
  // Alone and in float32 nothing is gained over libtorch's, which can be differentiated twice.
  if (isLow(x) && fits(x, weight)) return Linears::apply(x, at::TensorList(weight), bias)[0];
  return at::linear(x, weight, bias);
}

std::vector<at::Tensor> linears(const at::Tensor& x, at::TensorList weights) {
  const bool together = (isLow(x) || (isFloat(x) && !at::autocast::is_autocast_enabled(at::kCPU))) && std::all_of(weights.begin(), weights.end(), [&](const auto& weight) { return fits(x, weight); });
  if (together && !weights.empty()) return Linears::apply(x, weights, std::nullopt);
  std::vector<at::Tensor> outputs;
  for (const auto& weight : weights) outputs.push_back(at::linear(x, weight));
  return outputs;
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(perennial, library) {
  library.def("linear(Tensor x, Tensor weight, Tensor? bias=None) -> Tensor", linear);
  library.def("linears(Tensor x, Tensor[] weights) -> Tensor[]", linears);
  library.def("multiplies_bf16() -> bool", multipliesBf16);
  library.def("choose_bf16_products(int choice) -> ()", chooseBf16Products);
}

}  // namespace perennial::fused
