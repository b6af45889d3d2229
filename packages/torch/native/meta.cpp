// Shapes without values: kernels for the device `meta` of operators that a decoder uses and for which libtorch has theirs in
// Python alone.
#include <ATen/ExpandUtils.h>
#include <ATen/WrapDimUtils.h>
#include <ATen/core/Tensor.h>
#include <ATen/native/Resize.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/result_type.h>
#include <torch/library.h>

namespace perennial {
namespace {

at::Tensor indexSelect(const at::Tensor& self, int64_t dim, const at::Tensor& index) {
  TORCH_CHECK(index.device() == self.device(), "index_select: expected all tensors on the same device but found ", self.device(), " and ", index.device());
  auto shape = self.sizes().vec();
  if (!shape.empty()) shape[static_cast<size_t>(at::maybe_wrap_dim(dim, self.dim()))] = index.numel();
  return at::empty(shape, self.options());
}

at::Tensor& binary(const at::Tensor& self, const at::Tensor& other, at::Tensor& out) {
  for (const auto& tensor : {self, other})
    TORCH_CHECK(tensor.device() == out.device() || tensor.dim() == 0, "expected all tensors on the same device but found ", out.device(), " and ", tensor.device());
  at::native::resize_output(out, at::infer_size(self.sizes(), other.sizes()));
  return out;
}

at::Tensor& unary(const at::Tensor& self, at::Tensor& out) {
  at::native::resize_output(out, self.sizes());
  return out;
}

at::Tensor select(const at::Tensor& condition, const at::Tensor& self, const at::Tensor& other) {
  for (const auto& tensor : {condition, self, other}) TORCH_CHECK(tensor.is_meta() || tensor.dim() == 0, "where: expected all tensors on the same device but found meta and ", tensor.device());
  return at::empty(at::infer_size(condition.sizes(), at::infer_size(self.sizes(), other.sizes())), at::device(at::kMeta).dtype(at::result_type(self, other)));
}

at::Tensor& selectOut(const at::Tensor& condition, const at::Tensor& self, const at::Tensor& other, at::Tensor& out) {
  at::native::resize_output(out, select(condition, self, other).sizes());
  return out;
}

at::Tensor embeddingBackward(const at::Tensor& gradient, const at::Tensor& indices, int64_t rows, int64_t, bool) {
  TORCH_CHECK(indices.is_meta(), "embedding_dense_backward: expected all tensors on the same device but found meta and ", indices.device());
  return at::empty({rows, gradient.size(-1)}, gradient.options());
}

// Statistics have one number for each normalized row.
std::tuple<at::Tensor, at::Tensor, at::Tensor> layerNorm(const at::Tensor& input, at::IntArrayRef shape, const std::optional<at::Tensor>&, const std::optional<at::Tensor>&, double) {
  auto rows = input.sizes().vec();
  TORCH_CHECK(!shape.empty() && shape.size() <= rows.size() && input.sizes().slice(rows.size() - shape.size()).equals(shape), "native_layer_norm: normalized_shape ", shape, " does not end the shape ", input.sizes());
  std::fill(rows.end() - static_cast<int64_t>(shape.size()), rows.end(), 1);
  return {at::empty_like(input), at::empty(rows, input.options()), at::empty(rows, input.options())};
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> layerNormBackward(const at::Tensor&, const at::Tensor& input, at::IntArrayRef, const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>& weight, const std::optional<at::Tensor>& bias, std::array<bool, 3>) {
  const auto like = [](const std::optional<at::Tensor>& tensor) { return tensor.has_value() && tensor->defined() ? at::empty_like(*tensor) : at::Tensor(); };
  return {at::empty_like(input), like(weight), like(bias)};
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, Meta, library) {
  library.impl("index_select", indexSelect);
  library.impl("logical_and.out", binary);
  library.impl("logical_or.out", binary);
  library.impl("logical_not.out", unary);
  library.impl("where.self", select);
  library.impl("where.self_out", selectOut);
  library.impl("abs.out", unary);
  library.impl("embedding_dense_backward", embeddingBackward);
  library.impl("native_layer_norm", layerNorm);
  library.impl("native_layer_norm_backward", layerNormBackward);
}

}  // namespace perennial
