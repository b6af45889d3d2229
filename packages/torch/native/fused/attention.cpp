// build: -fopenmp
// Causal attention inside documents of packed rows. Scores exist for 64 queries × 512 keys at a time; products run on small
// float32 matrices packed in cache (oneDNN's block kernel), so bfloat16 inputs cost only their widening. Key-value heads
// may serve several query heads.
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/native/CPUBlas.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <limits>
#include <memory>

#include "kernels.hpp"
#include "parallel.hpp"
#include "products.hpp"

#ifndef CPUBLAS_BRGEMM_F32F32F32
extern "C" void sgemm_(const char*, const char*, const int*, const int*, const int*, const float*, const float*, const int*, const float*, const int*, const float*, float*, const int*);
#endif

namespace perennial::fused {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

constexpr int64_t kQueries = 64;  // of a tile
constexpr int64_t kKeys = 512;    // of a tile
constexpr int64_t kStep = 32;     // tiles at a document's end are rounded up to this: few shapes, few kernels

// c [m,n] (+)= a [m,k] · b [k,n], row-major.
void multiply(int64_t m, int64_t n, int64_t k, const float* a, int64_t lda, const float* b, int64_t ldb, float* c, int64_t ldc, bool add) {
#ifdef CPUBLAS_BRGEMM_F32F32F32
  at::native::cpublas::brgemm(m, n, k, lda, ldb, ldc, add, a, b, c);
#else
  // The BLAS that libtorch runs on; its own wrapper is not exported by every build.
  const int columns = static_cast<int>(n), rows = static_cast<int>(m), inner = static_cast<int>(k);
  const int strideA = static_cast<int>(lda), strideB = static_cast<int>(ldb), strideC = static_cast<int>(ldc);
  const float one = 1, before = add ? 1 : 0;
  sgemm_("N", "N", &columns, &rows, &inner, &one, b, &strideB, a, &strideA, &before, c, &strideC);
#endif
}

// The rows of one head of one document.
template <typename T>
struct Rows {
  T* data;
  int64_t stride;
  T* operator[](int64_t i) const { return data + i * stride; }
};

// rows [begin, begin + count) as float [height,width], times `factor`; the rest is zero. E ≤ width, count ≤ height.
template <typename T>
void pack(Rows<const T> rows, int64_t begin, int64_t count, int64_t E, float* to, int64_t height, int64_t width, float factor) {
  scaleRows(rows[begin], rows.stride, to, width, count, E, factor);
  if (E < width)
    for (int64_t i = 0; i < count; ++i) std::fill(to + i * width + E, to + (i + 1) * width, 0.0f);
  std::fill(to + count * width, to + height * width, 0.0f);
}

template <typename T>
void unpack(const float* from, int64_t width, Rows<T> rows, int64_t begin, int64_t count, int64_t E, float factor) {
  scaleRows(from, width, rows[begin], rows.stride, count, E, factor);
}

// The keys of a document, transposed, tile by tile: [tiles][width][kKeys].
void transposeKeys(const float* keys, int64_t padded, int64_t width, float* to) {
  for (int64_t j = 0; j < padded; j += kKeys) transposeTile(keys + j * width, width, to + j * width, kKeys, std::min(kKeys, padded - j), width);
}

class Buffers {
 public:
  float* take(int64_t count) {
    parts_.emplace_back(new (std::align_val_t{64}) float[static_cast<size_t>(count)]);
    return parts_.back().get();
  }

 private:
  struct Free {
    void operator()(float* data) const { ::operator delete[](data, std::align_val_t{64}); }
  };
  std::vector<std::unique_ptr<float[], Free>> parts_;
};

struct Sizes {
  int64_t n, E, padded, width, tiled;
  Sizes(int64_t n, int64_t E) : n(n), E(E), padded(roundUp(n, kStep)), width(roundUp(E, 16)), tiled(roundUp(n, kKeys)) {}
};

// lse[i] = log Σ_j exp(scale · q_i·k_j), for backward.
template <typename T>
void attend(Rows<const T> q, Rows<const T> k, Rows<const T> v, Rows<T> out, float* lse, const Sizes& s, float scale) {
  Buffers buffers;
  float *keys = buffers.take(s.padded * s.width), *values = buffers.take(s.padded * s.width), *turned = buffers.take(s.tiled * s.width);
  float *queries = buffers.take(kQueries * s.width), *scores = buffers.take(kQueries * kKeys), *mixed = buffers.take(kQueries * s.width);
  float max[kQueries], sum[kQueries];
  pack(k, 0, s.n, s.E, keys, s.padded, s.width, 1.0f);
  pack(v, 0, s.n, s.E, values, s.padded, s.width, 1.0f);
  transposeKeys(keys, s.padded, s.width, turned);
  for (int64_t i = 0; i < s.n; i += kQueries) {
    const int64_t rows = std::min(kQueries, s.n - i), height = roundUp(rows, 16);
    pack(q, i, rows, s.E, queries, height, s.width, scale);
    std::fill(max, max + rows, -std::numeric_limits<float>::infinity());
    std::fill(sum, sum + rows, 0.0f);
    for (int64_t j = 0; j < i + rows; j += kKeys) {
      const int64_t count = std::min(kKeys, roundUp(i + rows - j, kStep));
      multiply(height, count, s.width, queries, s.width, turned + j * s.width, kKeys, scores, kKeys, false);
      for (int64_t r = 0; r < rows; ++r) {
        const float factor = onlineSoftmaxRow(scores + r * kKeys, std::min(count, i + r + 1 - j), count, max + r, sum + r);
        if (j > 0 && factor != 1.0f) scaleRows(mixed + r * s.width, s.width, mixed + r * s.width, s.width, 1, s.width, factor);
      }
      multiply(height, s.width, count, scores, kKeys, values + j * s.width, s.width, mixed, s.width, j > 0);
    }
    for (int64_t r = 0; r < rows; ++r) {
      lse[i + r] = max[r] + std::log(sum[r]);
      unpack(mixed + r * s.width, s.width, out, i + r, 1, s.E, 1.0f / sum[r]);
    }
  }
}

// Gradients of the query heads of one group; those of their key and value head grow in dKeys and dValues [padded,width].
// P is made again from the scores, keys × queries, so that every product reads it and dS as they lie:
//   dV += Pᵀ dO      dS = P ∘ (dO Vᵀ − Σ dO ∘ O)      dK += dSᵀ Q      dQ = dS K
template <typename T>
struct GroupBackward {
  const Sizes& s;
  float scale;
  Buffers buffers{};
  float *keys = buffers.take(s.padded * s.width), *values = buffers.take(s.padded * s.width), *turned = buffers.take(s.tiled * s.width);
  float *dKeys = buffers.take(s.padded * s.width), *dValues = buffers.take(s.padded * s.width);
  float *queries = buffers.take(kQueries * s.width), *turnedQueries = buffers.take(kQueries * s.width);
  float *dOut = buffers.take(kQueries * s.width), *turnedDOut = buffers.take(kQueries * s.width), *output = buffers.take(kQueries * s.width);
  float *dQueries = buffers.take(kQueries * s.width), *turnedDQueries = buffers.take(kQueries * s.width);
  float *probabilities = buffers.take(kKeys * kQueries), *dScores = buffers.take(kKeys * kQueries);

  GroupBackward(const Sizes& sizes, float factor, Rows<const T> k, Rows<const T> v) : s(sizes), scale(factor) {
    pack(k, 0, s.n, s.E, keys, s.padded, s.width, 1.0f);
    pack(v, 0, s.n, s.E, values, s.padded, s.width, 1.0f);
    transposeKeys(keys, s.padded, s.width, turned);
    std::fill(dKeys, dKeys + s.padded * s.width, 0.0f);
    std::fill(dValues, dValues + s.padded * s.width, 0.0f);
  }

  void head(Rows<const T> g, Rows<const T> q, Rows<const T> out, const float* lse, Rows<T> dq) {
    float logSum[kQueries], delta[kQueries];
    for (int64_t i = 0; i < s.n; i += kQueries) {
      const int64_t rows = std::min(kQueries, s.n - i);
      pack(q, i, rows, s.E, queries, kQueries, s.width, scale);
      pack(g, i, rows, s.E, dOut, kQueries, s.width, 1.0f);
      pack(out, i, rows, s.E, output, kQueries, s.width, 1.0f);
      transposeTile(queries, s.width, turnedQueries, kQueries, kQueries, s.width);
      transposeTile(dOut, s.width, turnedDOut, kQueries, kQueries, s.width);
      for (int64_t r = 0; r < kQueries; ++r) {
        logSum[r] = r < rows ? lse[i + r] : std::numeric_limits<float>::max();  // queries that do not exist attend to nothing
        delta[r] = dotRow(output + r * s.width, dOut + r * s.width, s.width);
      }
      for (int64_t j = 0; j < i + rows; j += kKeys) {
        const int64_t count = std::min(kKeys, roundUp(i + rows - j, kStep));
        multiply(count, kQueries, s.width, keys + j * s.width, s.width, turnedQueries, kQueries, probabilities, kQueries, false);
        multiply(count, kQueries, s.width, values + j * s.width, s.width, turnedDOut, kQueries, dScores, kQueries, false);
        attentionGradientTile(probabilities, dScores, count, j - i, logSum, delta);
        multiply(count, s.width, kQueries, probabilities, kQueries, dOut, s.width, dValues + j * s.width, s.width, true);
        multiply(count, s.width, kQueries, dScores, kQueries, queries, s.width, dKeys + j * s.width, s.width, true);
        multiply(s.width, kQueries, count, turned + j * s.width, kKeys, dScores, kQueries, turnedDQueries, kQueries, j > 0);
      }
      transposeTile(turnedDQueries, kQueries, dQueries, s.width, s.width, kQueries);
      unpack(dQueries, s.width, dq, i, rows, s.E, scale);
    }
  }
};

// Tasks are (segment, key-value head); a segment is a triple (row, start, end).
template <typename F>
void overHeads(const std::vector<int64_t>& segments, int64_t heads, F body) {
  at::parallel_for(0, static_cast<int64_t>(segments.size() / 3) * heads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) body(segments.data() + 3 * (task / heads), task % heads);
  });
}

template <typename T>
Rows<const T> rowsOf(const at::Tensor& t, const int64_t* segment, int64_t head) {
  return {reinterpret_cast<const T*>(t.const_data_ptr()) + segment[0] * t.stride(0) + head * t.stride(1) + segment[1] * t.stride(2), t.stride(2)};
}
template <typename T>
Rows<T> mutableRowsOf(const at::Tensor& t, const int64_t* segment, int64_t head) {
  const auto rows = rowsOf<T>(t, segment, head);
  return {const_cast<T*>(rows.data), rows.stride};
}

at::Tensor denseHeads(const at::Tensor& t) { return t.stride(3) == 1 || t.size(3) == 1 ? t : t.contiguous(); }
// [B,T,H,E] in memory: the layout of the projections before and after.
at::Tensor emptyHeads(const at::Tensor& like) { return at::empty({like.size(0), like.size(2), like.size(1), like.size(3)}, like.options()).transpose(1, 2); }

template <typename T>
void forwardAll(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& out, const at::Tensor& lse, const std::vector<int64_t>& segments, float scale) {
  const int64_t group = q.size(1) / k.size(1);
  overHeads(segments, q.size(1), [&](const int64_t* segment, int64_t head) {
    float* logSum = lse.data_ptr<float>() + (segment[0] * q.size(1) + head) * q.size(2) + segment[1];
    attend<T>(rowsOf<T>(q, segment, head), rowsOf<T>(k, segment, head / group), rowsOf<T>(v, segment, head / group), mutableRowsOf<T>(out, segment, head), logSum,
              Sizes(segment[2] - segment[1], q.size(3)), scale);
  });
}

template <typename T>
void backwardAll(const at::Tensor& g, const variable_list& saved, const at::Tensor& dq, const at::Tensor& dk, const at::Tensor& dv, const std::vector<int64_t>& segments, float scale) {
  const auto &q = saved[0], &k = saved[1], &v = saved[2], &out = saved[3], &lse = saved[4];
  const int64_t group = q.size(1) / k.size(1);
  overHeads(segments, k.size(1), [&](const int64_t* segment, int64_t keyHead) {
    const Sizes sizes(segment[2] - segment[1], q.size(3));
    GroupBackward<T> backward(sizes, scale, rowsOf<T>(k, segment, keyHead), rowsOf<T>(v, segment, keyHead));
    for (int64_t head = keyHead * group; head < (keyHead + 1) * group; ++head)
      backward.head(rowsOf<T>(g, segment, head), rowsOf<T>(q, segment, head), rowsOf<T>(out, segment, head),
                    lse.const_data_ptr<float>() + (segment[0] * q.size(1) + head) * q.size(2) + segment[1], mutableRowsOf<T>(dq, segment, head));
    unpack(backward.dKeys, sizes.width, mutableRowsOf<T>(dk, segment, keyHead), 0, sizes.n, sizes.E, 1.0f);
    unpack(backward.dValues, sizes.width, mutableRowsOf<T>(dv, segment, keyHead), 0, sizes.n, sizes.E, 1.0f);
  });
}

struct DocumentAttention : Function<DocumentAttention> {
  // q [B,H,T,E], k and v [B,K,T,E]; segments: triples (row, start, end) that cover every position once.
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& qInput, const at::Tensor& kInput, const at::Tensor& vInput, std::vector<int64_t> segments, double scale) {
    const auto q = denseHeads(qInput), k = denseHeads(kInput), v = denseHeads(vInput);
    auto out = emptyHeads(q);
    auto lse = at::empty({q.size(0), q.size(1), q.size(2)}, q.options().dtype(at::kFloat));
    if (isFloat(q)) forwardAll<float>(q, k, v, out, lse, segments, static_cast<float>(scale));
    else forwardAll<Bf16>(q, k, v, out, lse, segments, static_cast<float>(scale));
    ctx->save_for_backward({q, k, v, out, lse});
    ctx->saved_data["segments"] = segments;
    ctx->saved_data["scale"] = scale;
    return out;
  }

  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const auto saved = ctx->get_saved_variables();
    const auto segments = ctx->saved_data["segments"].toIntVector();
    const auto scale = static_cast<float>(ctx->saved_data["scale"].toDouble());
    const auto g = denseHeads(gradients[0]);
    const auto dq = emptyHeads(saved[0]), dk = emptyHeads(saved[1]), dv = emptyHeads(saved[2]);
    if (isFloat(g)) backwardAll<float>(g, saved, dq, dk, dv, segments, scale);
    else backwardAll<Bf16>(g, saved, dq, dk, dv, segments, scale);
    return {dq, dk, dv, at::Tensor(), at::Tensor()};
  }
};

at::Tensor documentAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, at::IntArrayRef segments, double scale) {
  TORCH_CHECK(q.dim() == 4 && k.dim() == 4 && k.sizes() == v.sizes() && q.size(0) == k.size(0) && q.size(2) == k.size(2) && q.size(3) == k.size(3) && k.size(1) > 0 && q.size(1) % k.size(1) == 0,
              "document_attention: expected q [B,H,T,E] and k, v [B,K,T,E] with H a multiple of K but received ", q.sizes(), ", ", k.sizes(), " and ", v.sizes());
  TORCH_CHECK((isFloat(q) || isBf16(q)) && q.scalar_type() == k.scalar_type() && q.scalar_type() == v.scalar_type(), "document_attention: expected float32 or bfloat16 tensors on the CPU, all of one dtype");
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

}  // namespace

TORCH_LIBRARY_FRAGMENT(perennial, library) {
  library.def("document_attention(Tensor q, Tensor k, Tensor v, int[] segments, float scale) -> Tensor", documentAttention);
}

}  // namespace perennial::fused
