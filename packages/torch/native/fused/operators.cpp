// build: -fopenmp
// Fused operators in the dispatcher's namespace `perennial`, with their gradients. Each does what a few of libtorch's
// operators do (src/fused holds those plain references) in one pass over memory. float32 on the CPU takes the fast
// kernels; every other dtype and device is composed from libtorch's operators.
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/_scaled_dot_product_flash_attention_for_cpu.h>
#include <ATen/ops/_scaled_dot_product_flash_attention_for_cpu_backward.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/rms_norm.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "kernels.hpp"

namespace perennial::fused {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

bool isPlain(const at::Tensor& t) { return t.device().is_cpu() && t.scalar_type() == at::kFloat; }

// Rows per task: about 32 KiB of data, so that short rows do not drown in scheduling.
int64_t grain(int64_t rowLength) { return std::max<int64_t>(1, 8192 / std::max<int64_t>(1, rowLength)); }

// ---- RMSNorm, alone or after the addition of a residual -------------------------------------------------------------

// dw summed over threads in a fixed order: the same numbers on every run with the same number of threads.
struct WeightGradient {
  at::Tensor partial;  // [threads, n]
  explicit WeightGradient(int64_t n) : partial(at::zeros({at::get_num_threads(), n}, at::kFloat)) {}
  float* mine() { return partial.data_ptr<float>() + at::get_thread_num() * partial.size(1); }
  at::Tensor sum() const { return partial.sum(0); }
};

struct RmsNorm : Function<RmsNorm> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& input, const at::Tensor& weight, double eps) {
    const auto x = input.contiguous(), w = weight.contiguous();
    const int64_t n = x.size(-1), rows = n == 0 ? 0 : x.numel() / n;
    auto y = at::empty_like(x);
    auto r = at::empty({rows}, x.options());
    const float *px = x.const_data_ptr<float>(), *pw = w.const_data_ptr<float>();
    float *py = y.data_ptr<float>(), *pr = r.data_ptr<float>();
    at::parallel_for(0, rows, grain(n), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) pr[i] = rmsNormRow(px + i * n, pw, py + i * n, n, static_cast<float>(eps));
    });
    ctx->save_for_backward({x, w, r});
    return y;
  }

  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const auto saved = ctx->get_saved_variables();
    const auto &x = saved[0], &w = saved[1], &r = saved[2];
    const auto g = gradients[0].contiguous();
    const int64_t n = x.size(-1), rows = n == 0 ? 0 : x.numel() / n;
    auto dx = at::empty_like(x);
    WeightGradient dw(n);
    const float *pg = g.const_data_ptr<float>(), *px = x.const_data_ptr<float>(), *pw = w.const_data_ptr<float>(), *pr = r.const_data_ptr<float>();
    float* pdx = dx.data_ptr<float>();
    at::parallel_for(0, rows, grain(n), [&](int64_t begin, int64_t end) {
      float* pdw = dw.mine();
      for (int64_t i = begin; i < end; ++i) rmsNormRowBackward(pg + i * n, px + i * n, pw, pr[i], nullptr, pdx + i * n, pdw, n);
    });
    return {dx, dw.sum(), at::Tensor()};
  }
};

at::Tensor rmsNorm(const at::Tensor& x, const at::Tensor& weight, double eps) {
  TORCH_CHECK(x.dim() >= 1 && weight.dim() == 1 && weight.size(0) == x.size(-1), "rms_norm: expected a weight of length ", x.dim() == 0 ? 0 : x.size(-1), " but received ", weight.sizes());
  if (isPlain(x) && isPlain(weight)) return RmsNorm::apply(x, weight, eps);
  return at::rms_norm(x, weight.sizes(), weight, eps);
}

struct AddRmsNorm : Function<AddRmsNorm> {
  static variable_list forward(AutogradContext* ctx, const at::Tensor& input, const at::Tensor& residual, const at::Tensor& weight, double eps) {
    const auto x = input.contiguous(), z = residual.contiguous(), w = weight.contiguous();
    const int64_t n = x.size(-1), rows = n == 0 ? 0 : x.numel() / n;
    auto sum = at::empty_like(x), y = at::empty_like(x);
    auto r = at::empty({rows}, x.options());
    const float *px = x.const_data_ptr<float>(), *pz = z.const_data_ptr<float>(), *pw = w.const_data_ptr<float>();
    float *ps = sum.data_ptr<float>(), *py = y.data_ptr<float>(), *pr = r.data_ptr<float>();
    at::parallel_for(0, rows, grain(n), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        pr[i] = addRmsNormRow(px + i * n, pz + i * n, pw, ps + i * n, py + i * n, n, static_cast<float>(eps));
    });
    ctx->save_for_backward({sum, w, r});
    return {sum, y};
  }

  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const auto saved = ctx->get_saved_variables();
    const auto &x = saved[0], &w = saved[1], &r = saved[2];
    if (!gradients[1].defined()) return {gradients[0], gradients[0], at::Tensor(), at::Tensor()};
    const auto g = gradients[1].contiguous();
    const auto extra = gradients[0].defined() ? gradients[0].contiguous() : at::Tensor();
    const int64_t n = x.size(-1), rows = n == 0 ? 0 : x.numel() / n;
    auto dx = at::empty_like(x);
    WeightGradient dw(n);
    const float *pg = g.const_data_ptr<float>(), *px = x.const_data_ptr<float>(), *pw = w.const_data_ptr<float>(), *pr = r.const_data_ptr<float>();
    const float* pe = extra.defined() ? extra.const_data_ptr<float>() : nullptr;
    float* pdx = dx.data_ptr<float>();
    at::parallel_for(0, rows, grain(n), [&](int64_t begin, int64_t end) {
      float* pdw = dw.mine();
      for (int64_t i = begin; i < end; ++i)
        rmsNormRowBackward(pg + i * n, px + i * n, pw, pr[i], pe == nullptr ? nullptr : pe + i * n, pdx + i * n, pdw, n);
    });
    return {dx, dx, dw.sum(), at::Tensor()};
  }
};

std::tuple<at::Tensor, at::Tensor> addRmsNorm(const at::Tensor& x, const at::Tensor& residual, const at::Tensor& weight, double eps) {
  TORCH_CHECK(x.sizes() == residual.sizes(), "add_rms_norm: x is ", x.sizes(), " but the residual ", residual.sizes());
  TORCH_CHECK(x.dim() >= 1 && weight.dim() == 1 && weight.size(0) == x.size(-1), "add_rms_norm: expected a weight of length ", x.dim() == 0 ? 0 : x.size(-1), " but received ", weight.sizes());
  if (isPlain(x) && isPlain(residual) && isPlain(weight)) {
    auto both = AddRmsNorm::apply(x, residual, weight, eps);
    return {both[0], both[1]};
  }
  auto sum = x + residual;
  return {sum, at::rms_norm(sum, weight.sizes(), weight, eps)};
}

// ---- SwiGLU ---------------------------------------------------------------------------------------------------------

constexpr int64_t kElementsPerTask = 16384;

struct Swiglu : Function<Swiglu> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& gateInput, const at::Tensor& upInput) {
    const auto gate = gateInput.contiguous(), up = upInput.contiguous();
    auto y = at::empty_like(gate);
    const float *pg = gate.const_data_ptr<float>(), *pu = up.const_data_ptr<float>();
    float* py = y.data_ptr<float>();
    at::parallel_for(0, gate.numel(), kElementsPerTask, [&](int64_t begin, int64_t end) { swigluRow(pg + begin, pu + begin, py + begin, end - begin); });
    ctx->save_for_backward({gate, up});
    return y;
  }

  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const auto saved = ctx->get_saved_variables();
    const auto &gate = saved[0], &up = saved[1];
    const auto g = gradients[0].contiguous();
    auto dGate = at::empty_like(gate), dUp = at::empty_like(up);
    const float *p = g.const_data_ptr<float>(), *pg = gate.const_data_ptr<float>(), *pu = up.const_data_ptr<float>();
    float *pdg = dGate.data_ptr<float>(), *pdu = dUp.data_ptr<float>();
    at::parallel_for(0, gate.numel(), kElementsPerTask, [&](int64_t begin, int64_t end) {
      swigluRowBackward(p + begin, pg + begin, pu + begin, pdg + begin, pdu + begin, end - begin);
    });
    return {dGate, dUp};
  }
};

at::Tensor swiglu(const at::Tensor& gate, const at::Tensor& up) {
  TORCH_CHECK(gate.sizes() == up.sizes(), "swiglu: gate is ", gate.sizes(), " but up ", up.sizes());
  if (isPlain(gate) && isPlain(up)) return Swiglu::apply(gate, up);
  return at::silu(gate) * up;
}

// ---- Rotary embedding -----------------------------------------------------------------------------------------------

// x [B,T,H,E]; cos, sin [B or 1,T,E]; heads of one position share an angle.
at::Tensor rotate(const at::Tensor& input, const at::Tensor& cos, const at::Tensor& sin, float direction) {
  const auto x = input.contiguous();
  const int64_t B = x.size(0), T = x.size(1), H = x.size(2), E = x.size(3);
  auto y = at::empty_like(x);
  const float *px = x.const_data_ptr<float>(), *pc = cos.const_data_ptr<float>(), *ps = sin.const_data_ptr<float>();
  float* py = y.data_ptr<float>();
  const bool shared = cos.size(0) == 1;
  at::parallel_for(0, B * T, grain(H * E), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t angle = (shared ? i % T : i) * E;
      for (int64_t h = 0; h < H; ++h) ropeRow(px + (i * H + h) * E, pc + angle, ps + angle, py + (i * H + h) * E, E / 2, direction);
    }
  });
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
  if (isPlain(x) && isPlain(cos) && isPlain(sin)) return Rope::apply(x, cos, sin);
  const auto half = x.size(3) / 2;
  const auto turned = at::cat({-x.slice(3, half), x.slice(3, 0, half)}, -1);
  return (x * cos.unsqueeze(2) + turned * sin.unsqueeze(2)).to(x.scalar_type());
}

// ---- Output layer and cross-entropy ---------------------------------------------------------------------------------

// Rows at a time, so that no more than this many bytes of logits are ever alive.
constexpr int64_t kLogitBytes = 16 << 20;

struct LinearCrossEntropy : Function<LinearCrossEntropy> {
  // hidden [N,D], weight [V,D], labels [N] → Σ over counted labels of (loss + zLoss · (log Z)²), and Σ loss alone.
  static variable_list forward(AutogradContext* ctx, const at::Tensor& hiddenInput, const at::Tensor& weightInput, const at::Tensor& labelsInput, int64_t ignoreIndex, double zLoss, bool needsGradient) {
    const auto hidden = hiddenInput.contiguous(), weight = weightInput.contiguous(), labels = labelsInput.contiguous();
    const int64_t N = hidden.size(0), V = weight.size(0);
    const int64_t chunk = std::max<int64_t>(1, std::min<int64_t>(N, kLogitBytes / (4 * std::max<int64_t>(1, V))));
    auto buffer = at::empty({chunk, V}, hidden.options());
    at::Tensor dHidden, dWeight;
    if (needsGradient) {
      dHidden = at::empty_like(hidden);
      dWeight = at::empty_like(weight);
    }
    const int64_t* label = labels.const_data_ptr<int64_t>();
    std::vector<double> loss(static_cast<size_t>(N), 0.0), penalty(static_cast<size_t>(N), 0.0);
    for (int64_t start = 0; start < N; start += chunk) {
      const int64_t count = std::min(chunk, N - start);
      auto logits = buffer.narrow(0, 0, count);
      const auto rows = hidden.narrow(0, start, count);
      at::mm_out(logits, rows, weight.t());
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
          float max, sum;
          logSumExpRow(row, V, &max, &sum);
          const double logZ = static_cast<double>(max) + std::log(static_cast<double>(sum));
          loss[static_cast<size_t>(start + i)] = logZ - static_cast<double>(row[target]);
          penalty[static_cast<size_t>(start + i)] = zLoss * logZ * logZ;
          if (!needsGradient) continue;
          softmaxRow(row, V, max, 1.0f / sum, static_cast<float>(1.0 + 2.0 * zLoss * logZ));
          row[target] -= 1.0f;
        }
      });
      if (!needsGradient) continue;
      auto into = dHidden.narrow(0, start, count);
      at::mm_out(into, logits, weight);
      if (start == 0) at::mm_out(dWeight, logits.t(), rows);
      else dWeight.addmm_(logits.t(), rows);
    }
    double total = 0, extra = 0;
    for (int64_t i = 0; i < N; ++i) {
      total += loss[static_cast<size_t>(i)];
      extra += penalty[static_cast<size_t>(i)];
    }
    if (needsGradient) ctx->save_for_backward({dHidden, dWeight});
    auto reported = at::scalar_tensor(total, hidden.options());
    ctx->mark_non_differentiable({reported});
    return {at::scalar_tensor(total + extra, hidden.options()), reported};
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
  TORCH_CHECK(isPlain(hidden) && isPlain(weight), "linear_cross_entropy: expected float32 tensors on the CPU; compose it from linear and cross-entropy for others");
  const bool needsGradient = at::GradMode::is_enabled() && (hidden.requires_grad() || weight.requires_grad());
  auto both = LinearCrossEntropy::apply(hidden, weight, labels, ignoreIndex, zLoss, needsGradient);
  return {both[0], both[1]};
}

// ---- Attention inside documents -------------------------------------------------------------------------------------

// One parallel region over all segments: inside, libtorch's kernel runs on the thread that called it. A region per
// segment would spend more time meeting at barriers than computing. Worker threads start with their own defaults, so
// recording is switched off there again.
template <typename F>
void overSegments(const std::vector<int64_t>& segments, F body) {
  at::parallel_for(0, static_cast<int64_t>(segments.size() / 3), 1, [&](int64_t begin, int64_t end) {
    const at::AutoDispatchBelowADInplaceOrView belowAutograd;
    const at::NoGradGuard noGrad;
    for (int64_t i = begin; i < end; ++i) {
      const auto *s = segments.data() + 3 * i;
      body(static_cast<size_t>(i), [s](const at::Tensor& t) { return t.narrow(0, s[0], 1).narrow(2, s[1], s[2] - s[1]); });
    }
  });
}

struct DocumentAttention : Function<DocumentAttention> {
  // q, k, v [B,H,T,E]; segments: triples (row, start, end) that cover every position once.
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, std::vector<int64_t> segments, double scale) {
    // [B,T,H,E] in memory: the layout that the output projection wants next.
    auto out = at::empty({q.size(0), q.size(2), q.size(1), q.size(3)}, q.options()).transpose(1, 2);
    variable_list saved{q, k, v, out};
    saved.resize(4 + segments.size() / 3);
    overSegments(segments, [&](size_t i, auto part) {
      auto [piece, lse] = at::_scaled_dot_product_flash_attention_for_cpu(part(q), part(k), part(v), 0.0, true, std::nullopt, scale);
      part(out).copy_(piece);
      saved[4 + i] = lse;
    });
    ctx->save_for_backward(saved);
    ctx->saved_data["segments"] = segments;
    ctx->saved_data["scale"] = scale;
    return out;
  }

  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const auto saved = ctx->get_saved_variables();
    const auto segments = ctx->saved_data["segments"].toIntVector();
    const double scale = ctx->saved_data["scale"].toDouble();
    const auto &q = saved[0], &k = saved[1], &v = saved[2], &out = saved[3];
    const auto& g = gradients[0];
    auto dq = at::empty_like(q), dk = at::empty_like(k), dv = at::empty_like(v);
    overSegments(segments, [&](size_t i, auto part) {
      auto [pq, pk, pv] = at::_scaled_dot_product_flash_attention_for_cpu_backward(part(g), part(q), part(k), part(v), part(out), saved[4 + i], 0.0, true, std::nullopt, scale);
      part(dq).copy_(pq);
      part(dk).copy_(pk);
      part(dv).copy_(pv);
    });
    return {dq, dk, dv, at::Tensor(), at::Tensor()};
  }
};

at::Tensor documentAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, at::IntArrayRef segments, double scale) {
  TORCH_CHECK(q.dim() == 4 && q.sizes() == k.sizes() && q.sizes() == v.sizes(), "document_attention: expected q, k and v of one shape [B,H,T,E] but received ", q.sizes(), ", ", k.sizes(), " and ", v.sizes());
  TORCH_CHECK(q.device().is_cpu(), "document_attention: expected tensors on the CPU");
  int64_t covered = 0;
  TORCH_CHECK(segments.size() % 3 == 0, "document_attention: segments are triples of row, start and end");
  for (size_t i = 0; i < segments.size(); i += 3) {
    TORCH_CHECK(segments[i] >= 0 && segments[i] < q.size(0) && segments[i + 1] >= 0 && segments[i + 1] < segments[i + 2] && segments[i + 2] <= q.size(2),
                "document_attention: segment (", segments[i], ", ", segments[i + 1], ", ", segments[i + 2], ") lies outside of ", q.sizes());
    covered += segments[i + 2] - segments[i + 1];
  }
  TORCH_CHECK(covered == q.size(0) * q.size(2), "document_attention: the segments cover ", covered, " of ", q.size(0) * q.size(2), " positions");
  return DocumentAttention::apply(q, k, v, segments.vec(), scale);
}

// ---- Optimizer ------------------------------------------------------------------------------------------------------

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
  for (const auto& t : tensors) TORCH_CHECK(isPlain(t) && t.is_contiguous(), name, ": expected contiguous float32 tensors on the CPU");
}

void adamw(at::TensorList weights, at::TensorList gradients, at::TensorList firsts, at::TensorList seconds, double learningRate, double beta1, double beta2, double eps, double decay, int64_t step, double gradScale) {
  TORCH_CHECK(weights.size() == gradients.size() && weights.size() == firsts.size() && weights.size() == seconds.size(), "adamw: the lists differ in length");
  for (const auto& list : {weights, gradients, firsts, seconds}) checkFlat(list, "adamw");
  for (size_t i = 0; i < weights.size(); ++i)
    TORCH_CHECK(weights[i].numel() == gradients[i].numel() && weights[i].numel() == firsts[i].numel() && weights[i].numel() == seconds[i].numel(), "adamw: tensors ", i, " differ in size");
  const AdamW settings{static_cast<float>(learningRate), static_cast<float>(beta1), static_cast<float>(beta2), static_cast<float>(eps), static_cast<float>(decay),
                       static_cast<float>(1.0 - std::pow(beta1, static_cast<double>(step))), static_cast<float>(std::sqrt(1.0 - std::pow(beta2, static_cast<double>(step)))), static_cast<float>(gradScale)};
  overElements(weights, [&](size_t i, int64_t start, int64_t count, size_t) {
    adamwRow(weights[i].data_ptr<float>() + start, gradients[i].const_data_ptr<float>() + start, firsts[i].data_ptr<float>() + start, seconds[i].data_ptr<float>() + start, count, settings);
  });
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

TORCH_LIBRARY(perennial, library) {
  library.def("rms_norm(Tensor x, Tensor weight, float eps) -> Tensor", rmsNorm);
  library.def("add_rms_norm(Tensor x, Tensor residual, Tensor weight, float eps) -> (Tensor sum, Tensor normed)", addRmsNorm);
  library.def("swiglu(Tensor gate, Tensor up) -> Tensor", swiglu);
  library.def("rope(Tensor x, Tensor cos, Tensor sin) -> Tensor", rope);
  library.def("linear_cross_entropy(Tensor hidden, Tensor weight, Tensor labels, int ignore_index=-100, float z_loss=0) -> (Tensor loss_sum, Tensor reported)", linearCrossEntropy);
  library.def("document_attention(Tensor q, Tensor k, Tensor v, int[] segments, float scale) -> Tensor", documentAttention);
  library.def("adamw(Tensor(a!)[] weights, Tensor[] gradients, Tensor(b!)[] firsts, Tensor(c!)[] seconds, float learning_rate, float beta1, float beta2, float eps, float decay, int step, float grad_scale) -> ()", adamw);
  library.def("global_norm(Tensor[] tensors) -> Tensor", globalNorm);
}

}  // namespace perennial::fused
