/**
 * A sentence on each operator that people use, with shapes and errors; the generator puts it before the schemas.
 * Letters in shapes: N, M, K, … any sizes; [...] any leading dimensions. "Broadcast" is NumPy's rule.
 */
const BROADCAST = "Shapes broadcast; dtypes are promoted.\nErrors: shapes that do not broadcast.";
const SAME_SHAPE = "The shape stays.";
const NO_COMPLEX = "complex numbers";
const NO_COMPLEX_OR_BOOL = "complex numbers or bool";
const FLOATS_ONLY = "anything but floating point numbers";
const OVER_DIM = "`dim` (or several) is removed, or kept with size 1 by `keepdim`; without `dim` all elements count.";
const DIM_ERROR = "Errors: a dimension out of range.";
const LOSS = "`reduction`: 0 none, 1 mean, 2 sum.\nErrors: shapes that differ.";
const IN_PLACE_ERROR = "Errors: a leaf that requires a gradient, outside of noGrad().";

const elementwise = (formula: string, refused = "none; every dtype is taken") =>
  `${formula}, element by element. ${SAME_SHAPE}\nErrors: ${refused}.`;
const binary = (formula: string) => `${formula}, element by element. ${BROADCAST}`;
const reduction = (what: string) => `${what} ${OVER_DIM}\n${DIM_ERROR}`;

export const operatorDocs: Readonly<Record<string, string>> = {
  // Products
  matmul:
    "Matrix product over the last two dimensions, the others broadcast: [...,M,K] × [...,K,N] → [...,M,N].\nErrors: inner dimensions that differ, or dtypes that differ.",
  mm: "Matrix product: [M,K] × [K,N] → [M,N].\nErrors: anything but two matrices whose inner dimensions and dtypes agree.",
  bmm: "A matrix product for each of B pairs: [B,M,K] × [B,K,N] → [B,M,N].\nErrors: batches or inner dimensions that differ.",
  mv: "Matrix times vector: [M,K] × [K] → [M].\nErrors: sizes that differ.",
  dot: "Σ xᵢ yᵢ of two vectors: [N] × [N] → [].\nErrors: lengths or dtypes that differ.",
  outer: "xᵢ yⱼ: [N] × [M] → [N,M].\nErrors: anything but vectors.",
  addmm: "beta · self + alpha · mat1 mat2: [N,P] (broadcast), [N,M] × [M,P] → [N,P].\nErrors: shapes that do not fit.",
  baddbmm: "beta · self + alpha · batch1 batch2: [B,N,M] × [B,M,P] → [B,N,P].\nErrors: shapes that do not fit.",
  einsum:
    'Sums products of operands by Einstein\'s notation: `einsum("bij,bjk->bik", [x, y])`.\nErrors: letters that stand for different sizes.',
  linear: "x Wᵀ + b: [...,I], weight [O,I], bias [O] → [...,O].\nErrors: a last dimension that is not I.",
  tensordot: "Sums products over pairs of dimensions.\nErrors: paired dimensions of different sizes.",
  // Elementwise, one argument
  abs: elementwise("|x|, the magnitude of complex numbers", "bool"),
  neg: elementwise("−x", "bool"),
  exp: elementwise("eˣ"),
  expm1: elementwise("eˣ − 1, exact near 0"),
  log: elementwise("Natural logarithm; NaN below 0"),
  log1p: elementwise("ln(1 + x), exact near 0"),
  log2: elementwise("Logarithm to base 2"),
  log10: elementwise("Logarithm to base 10"),
  sqrt: elementwise("√x; NaN below 0"),
  rsqrt: elementwise("1/√x"),
  square: elementwise("x²"),
  reciprocal: elementwise("1/x"),
  sin: elementwise("Sine of radians"),
  cos: elementwise("Cosine of radians"),
  tanh: elementwise("Hyperbolic tangent"),
  sigmoid: elementwise("1 / (1 + e⁻ˣ)"),
  erf: elementwise("Error function", NO_COMPLEX),
  floor: elementwise("Largest integer ≤ x", NO_COMPLEX_OR_BOOL),
  ceil: elementwise("Smallest integer ≥ x", NO_COMPLEX_OR_BOOL),
  round: elementwise("Nearest integer, halves to the even one, or to `decimals` places", NO_COMPLEX_OR_BOOL),
  trunc: elementwise("Integer part", NO_COMPLEX_OR_BOOL),
  sign: elementwise("−1, 0 or 1", NO_COMPLEX),
  isnan: elementwise("Whether x is NaN, as bool"),
  isfinite: elementwise("Whether x is neither infinite nor NaN, as bool"),
  relu: elementwise("max(x, 0)", NO_COMPLEX_OR_BOOL),
  gelu: elementwise('x Φ(x), exactly or with `approximate: "tanh"`', FLOATS_ONLY),
  silu: elementwise("x · sigmoid(x)", "integers or bool"),
  softplus: elementwise("ln(1 + e^(beta x)) / beta", FLOATS_ONLY),
  leaky_relu: elementwise("x, or negativeSlope · x below 0", FLOATS_ONLY),
  // Elementwise, several arguments
  add: binary("self + alpha · other"),
  sub: binary("self − alpha · other"),
  mul: binary("self · other"),
  div: binary('self / other; `roundingMode: "floor"` or `"trunc"` for whole quotients. Integers give floats without it'),
  remainder: binary("Remainder with the sign of the divisor"),
  pow: binary("self to the power of the exponent"),
  atan2: binary("Angle of the point (other, self)"),
  maximum: binary("The larger value; NaN wins"),
  minimum: binary("The smaller value; NaN wins"),
  lerp: binary("self + weight · (end − self)"),
  addcmul: binary("self + value · tensor1 · tensor2"),
  addcdiv: binary("self + value · tensor1 / tensor2"),
  clamp: "Limits x to [min, max]; either may be missing. The shape stays, or broadcasts with tensor limits.\nErrors: neither limit given.",
  where:
    "`self` where the condition holds, else `other`. Shapes broadcast. With the condition alone: the indices where it holds.\nErrors: a condition that is not bool.",
  eq: binary("Whether both are equal, as bool"),
  ne: binary("Whether both differ, as bool"),
  lt: binary("Whether self < other, as bool"),
  le: binary("Whether self ≤ other, as bool"),
  gt: binary("Whether self > other, as bool"),
  ge: binary("Whether self ≥ other, as bool"),
  logical_and: binary("Both are not 0, as bool"),
  logical_or: binary("Either is not 0, as bool"),
  logical_not: elementwise("Whether x is 0, as bool"),
  isclose: binary("|self − other| ≤ atol + rtol · |other|, as bool"),
  masked_fill: "A copy with `value` where the bool mask holds; the mask broadcasts.\nErrors: a mask that is not bool.",
  masked_select: "The elements where the bool mask holds, as a vector.\nErrors: a mask that is not bool.",
  // Reductions
  sum: reduction("Sum; integers and bools add up in int64."),
  mean: reduction("Mean of floating point or complex elements."),
  prod: reduction("Product."),
  std: reduction("Standard deviation with `correction` (1) degrees of freedom taken off."),
  var: reduction("Variance with `correction` (1) degrees of freedom taken off."),
  amax: reduction("Largest element; gradients are shared among equals."),
  amin: reduction("Smallest element; gradients are shared among equals."),
  max: "Largest element, or along `dim` [values, indices], or the larger of two tensors.\nErrors: no elements; a dimension out of range.",
  min: "Smallest element, or along `dim` [values, indices], or the smaller of two tensors.\nErrors: no elements; a dimension out of range.",
  argmax: reduction("Index of the largest element, int64."),
  argmin: reduction("Index of the smallest element, int64."),
  all: reduction("Whether all elements are not 0, as bool."),
  any: reduction("Whether some element is not 0, as bool."),
  logsumexp: reduction("ln Σ eˣ without overflow."),
  norm: reduction("p-norm, by default the 2-norm."),
  linalg_vector_norm: reduction("`ord`-norm of vectors."),
  cumsum: `Running sums along \`dim\`. ${SAME_SHAPE}\n${DIM_ERROR}`,
  cumprod: `Running products along \`dim\`. ${SAME_SHAPE}\n${DIM_ERROR}`,
  softmax: `exp(x) / Σ exp(x) along \`dim\`. ${SAME_SHAPE}\nErrors: a dimension out of range; integers, unless \`dtype\` says what to compute in.`,
  log_softmax: `x − ln Σ eˣ along \`dim\`. ${SAME_SHAPE}\n${DIM_ERROR}`,
  topk: "The `k` largest (or smallest) elements along `dim`: [values, indices], k in place of that dimension.\nErrors: k larger than the dimension.",
  sort: `[sorted values, indices] along \`dim\`. Both keep the shape.\n${DIM_ERROR}`,
  argsort: `Indices that sort along \`dim\`. ${SAME_SHAPE}\n${DIM_ERROR}`,
  median: "The lower median of all, or along `dim` [values, indices].\nErrors: a dimension out of range.",
  bincount: "How often each non-negative integer occurs: [N] → [max + 1].\nErrors: negative or fractional elements.",
  // Shape
  reshape:
    "The same elements in another shape; one size may be −1. A view where possible, else a copy.\nErrors: a number of elements that differs.",
  view: "The same memory in another shape, or as another dtype.\nErrors: strides that do not allow it; use reshape.",
  permute: "A view with dimensions in another order.\nErrors: not a permutation of all dimensions.",
  transpose: `A view with two dimensions swapped.\n${DIM_ERROR}`,
  t: "A view of a matrix with rows and columns swapped.\nErrors: more than two dimensions.",
  squeeze: "A view without dimensions of size 1: all, or those given.\nErrors: a dimension out of range.",
  unsqueeze: "A view with a dimension of size 1 at `dim`.\nErrors: a dimension out of range.",
  expand:
    "A view that repeats dimensions of size 1; −1 keeps a size. No memory is taken.\nErrors: a dimension that is neither 1 nor of that size.",
  repeat: "A copy that repeats whole dimensions.\nErrors: fewer repeats than dimensions.",
  repeat_interleave: "A copy that repeats each element (or slice along `dim`).\nErrors: repeats that do not match the dimension.",
  cat: "Tensors one after the other along `dim`.\nErrors: other dimensions that differ.",
  stack: "Tensors of one shape along a new `dim`.\nErrors: shapes that differ.",
  chunk: `Views of about equal size along \`dim\`, at most \`chunks\`.\n${DIM_ERROR}`,
  split: "Views of `splitSize` (or of the listed sizes) along `dim`.\nErrors: listed sizes that do not add up.",
  unbind: `Views without \`dim\`, one for each index of it.\n${DIM_ERROR}`,
  select: "A view of one index along `dim`, which is removed.\nErrors: an index out of range.",
  slice: "A view of [start, end) along `dim`, every `step`-th; limits beyond the ends are cut.\nErrors: a step below 1.",
  narrow: "A view of `length` elements from `start` along `dim`.\nErrors: a range beyond the dimension.",
  flatten: "Dimensions from `startDim` to `endDim` as one.\nErrors: a dimension out of range.",
  flip: `A copy with the listed dimensions reversed.\n${DIM_ERROR}`,
  roll: "A copy shifted along dimensions; what leaves one end enters at the other.\nErrors: shifts and dimensions of different number.",
  tril: "A copy of matrices with zeros above the diagonal.\nErrors: fewer than two dimensions.",
  triu: "A copy of matrices with zeros below the diagonal.\nErrors: fewer than two dimensions.",
  diagonal: "A view of a diagonal, as the last dimension.\nErrors: fewer than two dimensions.",
  contiguous: "The tensor itself when its elements lie row by row, else such a copy.\nErrors: none of its own.",
  clone: "A copy with memory of its own; gradients flow through.\nErrors: none of its own.",
  detach: "A view of the same memory without history.\nErrors: none of its own.",
  constant_pad_nd:
    "A copy with `value` around it: [left, right, top, bottom, …] from the last dimension on.\nErrors: an odd number of pads.",
  // Indices
  index_select: "Slices along `dim` by int64 indices, as a copy.\nErrors: an index out of range; indices that are not a vector.",
  gather: "out[i][j] = self[i][index[i][j]] along `dim`; the result has the shape of `index`.\nErrors: an index out of range.",
  scatter:
    "A copy with `src` (or a value) written at `index` along `dim`.\nErrors: an index out of range; with equal indices any one wins.",
  scatter_add: "A copy with `src` added at `index` along `dim`.\nErrors: an index out of range.",
  index_add: "A copy with slices of `source` added at int64 indices along `dim`.\nErrors: an index out of range.",
  index_put: "A copy with `values` written, or added with `accumulate`, at the listed index tensors.\nErrors: an index out of range.",
  take_along_dim: "Elements along `dim` at `indices`, which broadcast.\nErrors: an index out of range.",
  nonzero: "int64 indices of the elements that are not 0: [count, dimensions]. Waits for the device.\nErrors: none of its own.",
  embedding: "Rows of `weight` [V,D] by int64 ids [...] → [...,D].\nErrors: an id out of range.",
  one_hot: "int64 ids [...] → 0 and 1 [..., numClasses].\nErrors: an id that is negative or too large.",
  // Creation
  zeros: "Zeros of a shape.\nErrors: a negative size.",
  ones: "Ones of a shape.\nErrors: a negative size.",
  empty: "Memory of a shape, its contents undefined.\nErrors: a negative size.",
  full: "A shape filled with one value, whose kind decides the dtype.\nErrors: a negative size.",
  arange:
    "start, start + step, … below end: [⌈(end − start)/step⌉]; int64 when all are integers.\nErrors: a step of 0 or of the wrong sign.",
  linspace: "`steps` numbers from start to end, both included.\nErrors: negative steps.",
  eye: "The identity matrix [n,n], or [n,m].\nErrors: a negative size.",
  zeros_like: "Zeros of the same shape, dtype and device.\nErrors: none of its own.",
  ones_like: "Ones of the same shape, dtype and device.\nErrors: none of its own.",
  rand: "Uniform numbers in [0, 1).\nErrors: a negative size.",
  randn: "Numbers of the standard normal distribution.\nErrors: a negative size.",
  randint: "Uniform integers in [low, high), floats unless `dtype` says otherwise.\nErrors: low ≥ high.",
  randperm: "A random order of 0 … n − 1, floats unless `dtype` says otherwise.\nErrors: a negative n.",
  bernoulli: "1 with the probability that stands at each place, else 0.\nErrors: a probability outside of [0, 1].",
  multinomial:
    "`numSamples` indices drawn with the weights of each row: [N] or [M,N] → int64.\nErrors: negative weights; more samples than weights without replacement.",
  dropout: "In training each element becomes 0 with probability p, the others grow by 1/(1 − p).\nErrors: p outside of [0, 1].",
  // In place
  copy_: `Writes \`src\`, broadcast and converted, into the tensor.\n${IN_PLACE_ERROR}`,
  fill_: `Writes one value everywhere.\n${IN_PLACE_ERROR}`,
  zero_: `Writes zeros everywhere.\n${IN_PLACE_ERROR}`,
  add_: `self ← self + alpha · other; \`other\` broadcasts.\n${IN_PLACE_ERROR}`,
  mul_: `self ← self · other; \`other\` broadcasts.\n${IN_PLACE_ERROR}`,
  normal_: `Fills with numbers of a normal distribution.\n${IN_PLACE_ERROR}`,
  uniform_: `Fills with uniform numbers in [from, to).\n${IN_PLACE_ERROR}`,
  // Layers and losses
  conv1d:
    "Cross-correlation: [N,C,L], weight [O,C/groups,W], bias [O] → [N,O,L'].\nErrors: channels that do not fit; a kernel larger than the padded input.",
  conv2d:
    "Cross-correlation: [N,C,H,W], weight [O,C/groups,h,w], bias [O] → [N,O,H',W'].\nErrors: channels that do not fit; a kernel larger than the padded input.",
  max_pool2d: "Largest element of each window: [N,C,H,W] → [N,C,H',W'].\nErrors: a padding over half of the kernel.",
  avg_pool2d: "Mean of each window: [N,C,H,W] → [N,C,H',W'].\nErrors: a padding over half of the kernel.",
  layer_norm:
    "(x − mean) / √(var + eps) · weight + bias over the last dimensions. The shape stays.\nErrors: a normalizedShape that is not the end of the shape.",
  rms_norm:
    "x / √(mean(x²) + eps) · weight over the last dimensions. The shape stays.\nErrors: a normalizedShape that is not the end of the shape.",
  group_norm: "Normalizes groups of channels: [N,C,...].\nErrors: channels that are no multiple of the groups.",
  batch_norm:
    "Normalizes each channel over the batch, or by the running statistics: [N,C,...].\nErrors: one value per channel in training.",
  scaled_dot_product_attention:
    "softmax(q kᵀ · scale + mask) v without all scores at once: q [B,H,T,E], k and v [B,H,S,E] → [B,H,T,E].\nErrors: a mask together with isCausal; shapes that do not fit.",
  cross_entropy_loss: `Cross-entropy of logits [N,C,...] with class ids [N,...] or probabilities, in nats. ${LOSS}`,
  nll_loss: `−log-probability of the class ids [N]: [N,C]. ${LOSS}`,
  mse_loss: `(input − target)². ${LOSS}`,
  l1_loss: `|input − target|. ${LOSS}`,
  smooth_l1_loss: `Squared below \`beta\`, absolute above. ${LOSS}`,
  kl_div: `target · (ln target − input), the input in logarithms. ${LOSS}`,
  binary_cross_entropy_with_logits: `Cross-entropy of sigmoid(input) with targets in [0, 1]. ${LOSS}`,
  cosine_similarity: "x · y / (‖x‖ ‖y‖) along `dim`, which is removed; shapes broadcast.\nErrors: shapes that do not broadcast.",
  // Linear algebra
  linalg_inv: "Inverses of [...,N,N].\nErrors: a singular matrix.",
  linalg_solve: "X with A X = B: [...,N,N], [...,N,K] → [...,N,K].\nErrors: a singular matrix.",
  linalg_cholesky: "L with L Lᴴ = A: [...,N,N].\nErrors: a matrix that is not positive definite.",
  linalg_qr: "[Q, R] with Q R = A: [...,M,N].\nErrors: fewer than two dimensions.",
  linalg_svd: "[U, S, Vᴴ] with U S Vᴴ = A, singular values falling.\nErrors: NaN or infinite elements.",
  linalg_eigh: "[eigenvalues rising, eigenvectors] of symmetric matrices [...,N,N].\nErrors: matrices that are not square.",
  linalg_det: "Determinants of [...,N,N].\nErrors: matrices that are not square.",
};
