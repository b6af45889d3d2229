// build: -fopenmp
// SwiGLU and the rotary embedding, in float32 and bfloat16.
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/silu.h>
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

// ---- SwiGLU ---------------------------------------------------------------------------------------------------------

template <typename T>
void swigluRows(const at::Tensor& gate, const at::Tensor& up, const at::Tensor& y) {
  const auto *pg = reinterpret_cast<const T*>(gate.const_data_ptr()), *pu = reinterpret_cast<const T*>(up.const_data_ptr());
  auto* py = reinterpret_cast<T*>(y.mutable_data_ptr());
  at::parallel_for(0, gate.numel(), kElementsPerTask, [&](int64_t begin, int64_t end) { swigluRow(pg + begin, pu + begin, py + begin, end - begin); });
}

template <typename T>
void swigluRowsBackward(const at::Tensor& g, const at::Tensor& gate, const at::Tensor& up, const at::Tensor& dGate, const at::Tensor& dUp) {
  const auto *p = reinterpret_cast<const T*>(g.const_data_ptr()), *pg = reinterpret_cast<const T*>(gate.const_data_ptr()), *pu = reinterpret_cast<const T*>(up.const_data_ptr());
  auto *pdg = reinterpret_cast<T*>(dGate.mutable_data_ptr()), *pdu = reinterpret_cast<T*>(dUp.mutable_data_ptr());
  at::parallel_for(0, gate.numel(), kElementsPerTask, [&](int64_t begin, int64_t end) {
    swigluRowBackward(p + begin, pg + begin, pu + begin, pdg + begin, pdu + begin, end - begin);
  });
}

struct Swiglu : Function<Swiglu> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& gateInput, const at::Tensor& upInput) {
    const auto gate = gateInput.contiguous(), up = upInput.contiguous();
    auto y = at::empty_like(gate);
    if (isFloat(gate)) swigluRows<float>(gate, up, y);
    else swigluRows<Bf16>(gate, up, y);
    ctx->save_for_backward({gate, up});
    return y;
  }

  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const auto saved = ctx->get_saved_variables();
    const auto &gate = saved[0], &up = saved[1];
    const auto g = gradients[0].contiguous();
    auto dGate = at::empty_like(gate), dUp = at::empty_like(up);
    if (isFloat(gate)) swigluRowsBackward<float>(g, gate, up, dGate, dUp);
    else swigluRowsBackward<Bf16>(g, gate, up, dGate, dUp);
    return {dGate, dUp};
  }
};

at::Tensor swiglu(const at::Tensor& gate, const at::Tensor& up) {
  TORCH_CHECK(gate.sizes() == up.sizes(), "swiglu: gate is ", gate.sizes(), " but up ", up.sizes());
  if ((isFloat(gate) && isFloat(up)) || (isBf16(gate) && isBf16(up))) return Swiglu::apply(gate, up);
  return at::silu(gate) * up;
}

// ---- Rotary embedding -----------------------------------------------------------------------------------------------

template <typename T>
void rotateRows(const at::Tensor& x, const at::Tensor& cos, const at::Tensor& sin, const at::Tensor& y, float direction) {
  const int64_t B = x.size(0), positions = x.size(1), H = x.size(2), E = x.size(3);
  const auto* px = reinterpret_cast<const T*>(x.const_data_ptr());
  const float *pc = cos.const_data_ptr<float>(), *ps = sin.const_data_ptr<float>();
  auto* py = reinterpret_cast<T*>(y.mutable_data_ptr());
  const bool shared = cos.size(0) == 1;
  at::parallel_for(0, B * positions, grain(H * E), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t angle = (shared ? i % positions : i) * E;
      for (int64_t h = 0; h < H; ++h) ropeRow(px + (i * H + h) * E, pc + angle, ps + angle, py + (i * H + h) * E, E / 2, direction);
    }
  });
}

// x [B,T,H,E]; cos, sin [B or 1,T,E]; heads of one position share an angle.
at::Tensor rotate(const at::Tensor& input, const at::Tensor& cos, const at::Tensor& sin, float direction) {
  const auto x = input.contiguous();
  auto y = at::empty_like(x);
  if (isFloat(x)) rotateRows<float>(x, cos, sin, y, direction);
  else rotateRows<Bf16>(x, cos, sin, y, direction);
  return y;
}

struct Rope : Function<Rope> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& cosInput, const at::Tensor& sinInput) {
    const auto cos = cosInput.contiguous(), sin = sinInput.contiguous();
    ctx->save_for_backward({cos, sin});
    return rotate(x, cos, sin, 1.0f);
  }

  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const auto saved = ctx->get_saved_variables();
    return {rotate(gradients[0], saved[0], saved[1], -1.0f), at::Tensor(), at::Tensor()};
  }
};

at::Tensor rope(const at::Tensor& x, const at::Tensor& cos, const at::Tensor& sin) {
  TORCH_CHECK(x.dim() == 4 && x.size(3) % 2 == 0, "rope: expected x of shape [B,T,H,E] with even E but received ", x.sizes());
  TORCH_CHECK(cos.dim() == 3 && cos.sizes() == sin.sizes() && cos.size(1) == x.size(1) && cos.size(2) == x.size(3) && (cos.size(0) == 1 || cos.size(0) == x.size(0)),
              "rope: expected cos and sin of shape [B or 1,", x.size(1), ",", x.size(3), "] but received ", cos.sizes(), " and ", sin.sizes());
  if ((isFloat(x) || isBf16(x)) && isFloat(cos) && isFloat(sin)) return Rope::apply(x, cos, sin);
  const auto half = x.size(3) / 2;
  const auto turned = at::cat({-x.slice(3, half), x.slice(3, 0, half)}, -1);
  return (x * cos.unsqueeze(2) + turned * sin.unsqueeze(2)).to(x.scalar_type());
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(perennial, library) {
  library.def("swiglu(Tensor gate, Tensor up) -> Tensor", swiglu);
  library.def("rope(Tensor x, Tensor cos, Tensor sin) -> Tensor", rope);
}

}  // namespace perennial::fused
