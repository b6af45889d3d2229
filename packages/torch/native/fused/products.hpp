// Matrix products of the fused operators in float32 and bfloat16, and the bfloat16 copies of float32 weights.
#pragma once

#include <ATen/core/Tensor.h>

#include "simd.hpp"

namespace perennial::fused {

inline bool isFloat(const at::Tensor& t) { return t.device().is_cpu() && t.scalar_type() == at::kFloat; }
inline bool isBf16(const at::Tensor& t) { return t.device().is_cpu() && t.scalar_type() == at::kBFloat16; }

inline const Bf16* bf16(const at::Tensor& t) { return reinterpret_cast<const Bf16*>(t.const_data_ptr()); }
inline Bf16* mutableBf16(const at::Tensor& t) { return reinterpret_cast<Bf16*>(t.mutable_data_ptr()); }

// Calls f with a pointer to the rows of t as they are stored: float or Bf16.
template <typename F>
auto withRows(const at::Tensor& t, F f) {
  return t.scalar_type() == at::kFloat ? f(t.const_data_ptr<float>()) : f(bf16(t));
}
template <typename F>
auto withMutableRows(const at::Tensor& t, F f) {
  return t.scalar_type() == at::kFloat ? f(t.mutable_data_ptr<float>()) : f(mutableBf16(t));
}

// Whether autocast asks for bfloat16 on the CPU here and now.
bool autocastsToBf16();

// Whether this CPU multiplies bfloat16 itself. Where it does not, products of bfloat16 are computed from widened float32:
// exact products and float32 sums, as the units do, at an eighth of the time that an emulation of them takes.
bool multipliesBf16();
// For tests: 0 widens, 1 leaves it to libtorch, −1 decides by the CPU.
void chooseBf16Products(int64_t choice);

// out (+)= a · b. Matrices in float32 or bfloat16, transposed views included; a sum stands in float32.
void product(const at::Tensor& out, const at::Tensor& a, const at::Tensor& b, bool accumulate = false);

// The bfloat16 copy of a float32 weight, kept from step to step: made anew only when the weight was changed by something
// else than an optimizer that wrote both (see `standingCopy`). Temporary weights are rounded each time.
at::Tensor bf16Copy(const at::Tensor& weight);
// The copy that exists of this weight, or nothing. Who changes the weight writes it too and then calls `copyIsCurrent`.
at::Tensor standingCopy(const at::Tensor& weight);
void copyIsCurrent(const at::Tensor& weight);

}  // namespace perennial::fused
