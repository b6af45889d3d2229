"""Writes packages/torch/golden/operators.json: what PyTorch's operators give, forward and backward, for tiny inputs.
Run: python tools/golden/torch_operators.py      (torch 2.15.0)

A case is one call through torch.ops.aten, so that PyTorch itself picks the overload. Float inputs made by t() require
gradients; the loss is Σ wᵢ · outᵢ with wᵢ = cos(i + 1) (real parts of complex outputs), over the flattened outputs."""

import json
import math
import pathlib

import torch

OUT = pathlib.Path(__file__).parents[2] / "packages/torch/golden/operators.json"
NAMES = {torch.float32: "float32", torch.float64: "float64", torch.float16: "float16", torch.bfloat16: "bfloat16", torch.int64: "int64",
         torch.int32: "int32", torch.int16: "int16", torch.int8: "int8", torch.uint8: "uint8", torch.bool: "bool",
         torch.complex64: "complex64", torch.complex128: "complex128"}

counter = 0


def values(numel, low, high):
    """Numbers without pattern, the same on every machine, at most three decimals."""
    global counter
    result = []
    for _ in range(numel):
        counter += 1
        u = (counter * 0.6180339887498949) % 1.0
        result.append(round(low + (high - low) * u, 3))
    return result


def t(*shape, low=-2.0, high=2.0, dtype=torch.float32, grad=True):
    made = torch.tensor(values(math.prod(shape), low, high), dtype=torch.float64).reshape(shape).to(dtype)
    return made.requires_grad_(grad and (dtype.is_floating_point or dtype.is_complex))


def n(*shape, **options):
    return t(*shape, grad=False, **options)


def pos(*shape, **options):
    return t(*shape, low=0.1, high=2.0, **options)


def unit(*shape, **options):
    return t(*shape, low=-0.95, high=0.95, **options)


def i(*shape, low=0, high=5, dtype=torch.int64):
    return torch.tensor([int(v) for v in values(math.prod(shape), low, high - 0.001)]).reshape(shape).to(dtype)


def b(*shape):
    return i(*shape, high=2).bool()


def c(*shape, grad=True, dtype=torch.complex64):
    re, im = values(math.prod(shape), -2, 2), values(math.prod(shape), -2, 2)
    return torch.complex(torch.tensor(re), torch.tensor(im)).to(dtype).reshape(shape).requires_grad_(grad)


def spd(size):
    a = torch.tensor(values(size * size, -1, 1)).reshape(size, size)
    return (a @ a.T + size * torch.eye(size)).mul(1000).round().div(1000).requires_grad_()


def number(x):
    if math.isnan(x):
        return "nan"
    if math.isinf(x):
        return "inf" if x > 0 else "-inf"
    if x == 0:
        return "-0" if math.copysign(1, x) < 0 else 0
    return float(f"{x:.8g}") if x != int(x) or abs(x) > 1e15 else int(x)


def encode(value):
    if isinstance(value, torch.Tensor):
        flat = value.detach().resolve_conj().resolve_neg().cpu().contiguous().flatten()
        if value.dtype.is_complex:
            data = [number(x) for pair in torch.view_as_real(flat).tolist() for x in pair]
        elif value.dtype == torch.bool:
            data = [int(x) for x in flat.tolist()]
        elif value.dtype.is_floating_point:
            data = [number(x) for x in flat.double().tolist()]
        else:
            data = flat.tolist()
        return {"t": NAMES[value.dtype], "s": list(value.shape), "d": data, **({"g": 1} if value.requires_grad and value.is_leaf else {})}
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return {"f": number(value)}
    if isinstance(value, complex):
        return {"c": [value.real, value.imag]}
    if isinstance(value, torch.dtype):
        return NAMES[value]
    if isinstance(value, (list, tuple)):
        return [encode(item) for item in value]
    raise TypeError(type(value))


def tensors_in(value):
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, (list, tuple)):
        return [tensor for item in value for tensor in tensors_in(item)]
    return []


def loss_of(outputs):
    total = torch.zeros((), dtype=torch.float64)
    position = 0
    for out in tensors_in(outputs):
        flat = (torch.real(out) if out.dtype.is_complex else out).reshape(-1).double()
        weights = torch.cos(torch.arange(position + 1, position + 1 + flat.numel(), dtype=torch.float64))
        if out.requires_grad:
            total = total + (weights * flat).sum()
        position += flat.numel()
    return total


cases = []


def case(name, *args, tolerance=None, **kwargs):
    operator = getattr(torch.ops.aten, name)
    encoded = {"op": name, "args": encode(args), "options": {key: encode(value) for key, value in kwargs.items()}}
    leaves = [leaf for leaf in tensors_in(args) + tensors_in(list(kwargs.values())) if leaf.requires_grad]
    # In-place operators work on a copy of each leaf.
    called = [[item.clone() for item in arg] if isinstance(arg, list) and tensors_in(arg) and name.endswith("_") else arg for arg in args]
    if name.endswith("_") and isinstance(called[0], torch.Tensor):
        called[0] = called[0].clone()
    elif "out" in kwargs:
        called = [arg.detach() if isinstance(arg, torch.Tensor) else arg for arg in called]
    result = operator(*called, **kwargs)
    if result is None:  # in-place over a list
        result = called[0]
    encoded["out"] = encode(list(result) if isinstance(result, tuple) else result)
    if leaves and any(out.requires_grad for out in tensors_in(result)):
        grads = torch.autograd.grad(loss_of(result), leaves, allow_unused=True)
        encoded["grads"] = [None if grad is None else encode(grad) for grad in grads]
    if tolerance is not None:
        encoded["tolerance"] = tolerance
    cases.append(encoded)


f64 = torch.float64

# Elementwise, one argument.
for name in ["abs", "neg", "exp", "expm1", "sin", "cos", "tan", "atan", "sinh", "cosh", "tanh", "asinh", "sigmoid", "erf", "erfc", "sign",
             "floor", "ceil", "round", "trunc", "frac", "relu", "silu", "mish", "selu", "elu", "celu", "hardtanh", "hardswish", "hardsigmoid",
             "softplus", "leaky_relu", "log_sigmoid", "square", "positive", "deg2rad", "rad2deg", "exp2", "sgn", "logit", "relu6", "special_i0e",
             "special_ndtr", "special_log_ndtr", "sinc", "nan_to_num", "i0"]:
    case(name, unit(2, 3) if name == "logit" else t(2, 3))
for name in ["sqrt", "rsqrt", "log", "log2", "log10", "log1p", "reciprocal", "lgamma", "digamma", "special_entr"]:
    case(name, pos(2, 3))
for name in ["asin", "acos", "atanh", "erfinv"]:
    case(name, unit(5))
case("acosh", t(4, low=1.1, high=3))
case("gelu", t(2, 3))
case("gelu", t(2, 3), approximate="tanh")
case("softplus", t(4), 2.0, 1.0)
case("threshold", t(5), 0.5, -1.0)
case("hardshrink", t(5), 0.5)
case("softshrink", t(5), 0.5)
case("elu", t(5), 0.7)
case("leaky_relu", t(5), 0.2)
case("prelu", t(2, 3, 2), t(3))
case("round", t(4), decimals=1)
case("glu", t(2, 6), -1)
case("isnan", torch.tensor([1.0, math.nan, math.inf]))
case("isfinite", torch.tensor([1.0, math.nan, -math.inf]))
case("signbit", torch.tensor([1.0, -0.0, -3.0]))
case("logical_not", b(4))
case("bitwise_not", i(4))

# Elementwise, two or more arguments; scalars keep their kind.
case("add", t(2, 3), t(3), alpha=2)
case("add", t(2, 3), 2)
case("add", i(4), 2)
case("add", i(4), 2.5)
case("add", i(4), 2.0)
case("add", t(2, 1, dtype=f64), t(1, 3))
case("add", c(3), 1 + 2j)
case("sub", t(2, 3), t(2, 1), alpha=0.5)
case("rsub", t(3), 2.5, 2)
case("mul", t(2, 3), t(2, 1))
case("mul", b(4), i(4))
case("mul", c(2, 2), c(2))
case("div", t(2, 3), pos(3))
case("div", i(4), i(4, low=1))
case("div", t(5), pos(5), rounding_mode="floor")
case("div", i(5, low=-9, high=9), i(5, low=1, high=4), rounding_mode="trunc")
case("floor_divide", i(5, low=-9, high=9), 4)
case("remainder", t(5), 0.7)
case("remainder", i(5, low=-9, high=9), 4)
case("fmod", t(5), pos(5))
case("pow", pos(4), 2.5)
case("pow", pos(4), t(4))
case("pow", 2, t(4))
case("pow", i(4), 3)
case("atan2", t(4), t(4))
case("hypot", t(4), t(4))
case("copysign", t(4), n(4))
case("logaddexp", t(4), t(4))
case("logaddexp2", t(4), t(4))
case("xlogy", pos(4), pos(4))
case("lerp", t(4), t(4), 0.3)
case("lerp", t(4), t(4), unit(4))
case("addcmul", t(4), t(4), t(4), value=0.5)
case("addcdiv", t(4), t(4), pos(4), value=2)
case("maximum", t(4), t(4))
case("minimum", t(4), t(4))
case("fmax", t(4), torch.tensor([math.nan, 1.0, -3.0, 0.5]))
case("clamp", t(6), -0.5, 0.7)
case("clamp", t(6), min=-0.5)
case("clamp", t(4), t(4), None)
case("clamp_min", t(5), 0)
case("where", b(2, 3), t(2, 3), t(3))
case("where", b(4), 1.5, t(4))
case("where", b(2, 3))
case("masked_fill", t(2, 3), b(2, 3), -1e4)
case("masked_select", t(2, 3), b(2, 3))
case("masked_scatter", t(2, 3), b(2, 3), t(6))
for name in ["eq", "ne", "lt", "le", "gt", "ge"]:
    case(name, n(5).round(), n(5).round())
    case(name, i(5), 2)
case("logical_and", b(4), b(4))
case("logical_xor", i(4), i(4))
for name in ["bitwise_and", "bitwise_or", "bitwise_xor"]:
    case(name, i(5, high=16), i(5, high=16))
case("bitwise_left_shift", i(4), 2)
case("isclose", n(3), n(3), 0.5, 0.5)
case("allclose", torch.ones(3), torch.ones(3))
case("equal", torch.ones(3), torch.ones(3))
case("heaviside", n(4), n(4))
case("gcd", i(4, low=4, high=40), i(4, low=4, high=40))
case("nextafter", n(3), n(3))
case("polygamma", 1, pos(3))

# In place and out=.
case("add_", t(2, 3), t(3), alpha=2)
case("mul_", t(2, 3), 0.5)
case("relu_", t(5))
case("clamp_", t(5), -0.5, 0.5)
case("fill_", t(2, 2), 3)
case("zero_", t(3))
case("masked_fill_", t(4), b(4), 0.0)
case("copy_", n(2, 3), t(3))
case("tril_", t(3, 3))
case("index_add_", t(4, 2), 0, torch.tensor([0, 3]), t(2, 2))
case("scatter_", n(3, 4), 1, torch.tensor([[0], [2], [3]]), 9.0)
case("add", n(3), n(3), out=torch.empty(3))
case("mm", n(2, 3), n(3, 2), out=torch.empty(2, 2))
case("index_put_", n(4), [torch.tensor([0, 0, 2])], n(3), True)
case("swapaxes_", t(2, 3), 0, 1)
case("squeeze_", t(2, 1, 3), 1)

# Reductions.
case("sum", t(2, 3))
case("sum", t(2, 3, 2), [0, 2])
case("sum", t(2, 3), [1], True)
case("sum", i(4), dtype=torch.float32)
case("sum", b(5))
case("mean", t(2, 3))
case("mean", t(2, 3, 2), [-1, 0], True)
case("mean", t(2, 3), 1)
case("prod", t(2, 3))
case("prod", t(2, 3), 1)
case("std", t(2, 3))
case("std", t(2, 3), [1], correction=0)
case("var", t(2, 3), [0], True)
case("var_mean", t(2, 5), [1], correction=1)
case("std_mean", t(2, 5), [1], keepdim=True)
case("amax", t(2, 3), [1])
case("amin", t(2, 3), [0], True)
case("aminmax", t(2, 3), dim=1)
case("max", t(2, 3))
case("max", t(2, 3), 1)
case("max", n(4), n(4))
case("min", t(2, 3), 0, True)
case("argmax", n(2, 3))
case("argmax", n(2, 3), 1, True)
case("argmin", n(2, 3), 0)
case("all", b(2, 3))
case("any", b(2, 3), 1)
case("logsumexp", t(2, 3), [1])
case("norm", t(2, 3))
case("norm", t(2, 3), 3, [1])
case("linalg_vector_norm", t(2, 3), 2, [1], True)
case("linalg_matrix_norm", t(2, 3))
case("cumsum", t(2, 3), 1)
case("cumprod", t(2, 3), 0)
case("cummax", t(2, 5), 1)
case("logcumsumexp", t(2, 3), 1)
case("median", t(2, 5))
case("median", t(2, 5), 1)
case("mode", i(2, 5), 1)
case("kthvalue", t(2, 5), 2, 1)
case("nansum", torch.tensor([1.0, math.nan, 2.0]))
case("nanmean", torch.tensor([1.0, math.nan, 2.0]))
case("count_nonzero", i(2, 3), 1)
case("quantile", t(5), 0.3)
case("dist", t(4), t(4), 2)
case("trace", t(3, 3))
case("cumulative_trapezoid", t(4))
case("trapezoid", t(4))
case("histc", n(8), 4, -2, 2)
case("bincount", i(8), None, 6)
case("bucketize", n(4), torch.tensor([-1.0, 0.0, 1.0]), right=True)
case("searchsorted", torch.tensor([0.0, 1.0, 2.0]), n(3))
case("unique_dim", torch.tensor([[1, 2], [1, 2], [0, 3]]), 0, True, True, True)
case("_unique2", i(8), True, True, True)
case("diff", t(5))
case("cov", t(2, 5))
case("renorm", t(2, 3), 2, 0, 1.0)

# Products.
case("matmul", t(2, 3), t(3, 4))
case("matmul", t(2, 2, 3), t(3))
case("matmul", t(3), t(2, 3, 2))
case("mm", t(2, 3, dtype=f64), t(3, 2, dtype=f64))
case("bmm", t(2, 2, 3), t(2, 3, 2))
case("mv", t(2, 3), t(3))
case("dot", t(4), t(4))
case("vdot", c(3), c(3))
case("outer", t(2), t(3))
case("addmm", t(2), t(3, 4), t(4, 2), beta=0.5, alpha=2)
case("addmv", t(2), t(2, 3), t(3))
case("addbmm", t(2, 2), t(2, 2, 3), t(2, 3, 2))
case("baddbmm", t(2, 2, 2), t(2, 2, 3), t(2, 3, 2), beta=0, alpha=1.5)
case("addr", t(2, 3), t(2), t(3))
case("einsum", "bij,bjk->bik", [t(2, 2, 3), t(2, 3, 2)])
case("einsum", "ii->i", [t(3, 3)])
case("tensordot", t(2, 3), t(3, 2), [1], [0])
case("kron", t(2, 2), t(1, 2))
case("cross", t(2, 3), t(2, 3), 1)
case("linear", t(2, 3), t(4, 3), t(4))
case("linear", t(2, 3), t(4, 3))
case("bilinear", t(2, 3), t(2, 2), t(4, 3, 2), t(4))
case("chain_matmul", [t(2, 3), t(3, 2), t(2, 4)])
case("cdist", t(3, 2), t(2, 2), 2.0)
case("cosine_similarity", t(2, 3), t(2, 3), 1)
case("pairwise_distance", t(2, 3), t(2, 3))

# Shape.
case("reshape", t(2, 3), [3, -1])
case("view", t(2, 3), [6])
case("permute", t(2, 3, 4), [2, 0, 1])
case("transpose", t(2, 3), 0, 1)
case("t", t(2, 3))
case("squeeze", t(1, 3, 1))
case("squeeze", t(1, 3, 1), 0)
case("squeeze", t(1, 3, 1), [0, 2])
case("unsqueeze", t(3), -1)
case("expand", t(3, 1), [2, 3, -1])
case("repeat", t(2, 2), [2, 1, 2])
case("repeat_interleave", t(2, 2), 2, 1)
case("repeat_interleave", t(3), torch.tensor([1, 0, 2]))
case("tile", t(2), [2, 2])
case("cat", [t(2, 2), t(1, 2)], 0)
case("stack", [t(2), t(2)], 1)
case("chunk", t(5), 2)
case("split", t(5), 2)
case("split", t(5), [1, 4], 0)
case("split_with_sizes", t(5), [2, 3])
case("tensor_split", t(5), 3)
case("unbind", t(2, 3), 1)
case("select", t(2, 3), 1, -1)
case("slice", t(6), 0, 1, 6, 2)
case("narrow", t(5), 0, 1, 3)
case("flatten", t(2, 3, 2), 1)
case("unflatten", t(6), 0, [2, 3])
case("flip", t(2, 3), [0, 1])
case("roll", t(5), [2], [0])
case("roll", t(2, 3), [1])
case("rot90", t(2, 3))
case("movedim", t(2, 3, 1), [0], [2])
case("diagonal", t(3, 4), 1)
case("diag", t(3))
case("diag_embed", t(2, 2))
case("tril", t(3, 3), -1)
case("triu", t(3, 3), 1)
case("unfold", t(7), 0, 3, 2)
case("as_strided", t(6), [2, 2], [1, 2])
case("constant_pad_nd", t(2, 3), [1, 0, 0, 2], 1.5)
case("pad", t(1, 2, 4), [1, 2], "reflect")
case("pad", t(1, 2, 4), [1, 1], "replicate")
case("pad", t(1, 2, 4), [1, 1], "circular")
case("pixel_shuffle", t(1, 4, 1, 2), 2)
case("im2col", t(1, 1, 3, 3), [2, 2], [1, 1], [0, 0], [1, 1])
case("col2im", t(1, 4, 4), [3, 3], [2, 2], [1, 1], [0, 0], [1, 1])
case("broadcast_tensors", [t(2, 1), t(3)])
case("meshgrid", [t(2), t(3)], indexing="ij")
case("cartesian_prod", [t(2), t(2)])
case("hstack", [t(2), t(3)])
case("vstack", [t(2), t(2)])
case("contiguous", t(2, 3))
case("clone", t(2, 3))

# Indices.
case("index", t(4, 3), [torch.tensor([0, 2, 0])])
case("index", t(4, 3), [None, torch.tensor([0, 2])])
case("index", t(2, 3), [b(2, 3)])
case("index", t(3, 4), [torch.tensor([[0], [2]]), torch.tensor([1, 3])])
case("index_put", t(4), [torch.tensor([0, 2, 0])], t(3), True)
case("index_select", t(4, 2), 0, torch.tensor([3, 0, 3]))
case("index_fill", t(4, 2), 0, torch.tensor([1]), 7.0)
case("index_copy", t(4, 2), 0, torch.tensor([1, 3]), t(2, 2))
case("index_add", t(4, 2), 0, torch.tensor([1, 1]), t(2, 2), alpha=2)
case("index_reduce", t(4, 2), 0, torch.tensor([1, 1]), t(2, 2), "amax")
case("gather", t(3, 3), 1, torch.tensor([[0, 2], [1, 1], [2, 0]]))
case("scatter", t(3, 3), 1, torch.tensor([[0], [1], [2]]), t(3, 1))
case("scatter", t(3, 3), 0, torch.tensor([[0, 1, 2]]), 5.0)
case("scatter_add", t(3, 3), 0, torch.tensor([[0, 1, 2], [0, 0, 0]]), t(2, 3))
case("scatter_reduce", t(3), 0, torch.tensor([0, 0, 2]), t(3), "prod", include_self=True)
case("scatter_reduce", t(3), 0, torch.tensor([0, 0, 2]), t(3), "mean", include_self=False)
case("take", t(2, 3), torch.tensor([0, 5]))
case("take_along_dim", t(2, 3), torch.tensor([[2], [0]]), 1)
case("put", t(2, 3), torch.tensor([0, 4]), t(2))
case("select_scatter", t(2, 3), t(3), 0, 1)
case("slice_scatter", t(4), t(2), 0, 1, 3)
case("diagonal_scatter", t(3, 3), t(3))
case("nonzero", b(3, 3))
case("argwhere", i(4, high=2))
case("embedding", t(5, 3), torch.tensor([[0, 4], [4, 1]]), 1)
case("embedding_bag", t(5, 3), torch.tensor([0, 4, 4, 1]), torch.tensor([0, 2]), False, 1)
case("one_hot", i(4), 5)
case("sort", t(2, 4), 1, True)
case("sort", t(5), stable=True, dim=0, descending=False)
case("argsort", n(5), 0)
case("argsort", n(5), dim=0, stable=True, descending=True)
case("topk", t(2, 5), 2)
case("topk", t(2, 5), 2, 1, False, True)
case("msort", t(4, 2))
case("isin", i(5), torch.tensor([1, 3]))
case("tril_indices", 3, 3, 0)
case("triu_indices", 2, 3)

# Creation and conversion.
case("zeros", [2, 3], dtype=torch.int32)
case("ones", [2])
case("full", [2, 2], 1.5)
case("full", [2], True)
case("full", [2], 3)
case("arange", 5)
case("arange", 1, 2, 0.25)
case("arange", 2, 9, 3, dtype=torch.float32)
case("linspace", 0, 1, 5)
case("logspace", 0, 2, 3)
case("eye", 2, 3)
case("scalar_tensor", 2.5)
case("zeros_like", t(2, 2))
case("full_like", t(2, 2), 4)
case("ones_like", i(3), dtype=torch.float64)
case("new_zeros", t(2), [2, 2])
case("_to_copy", t(3), dtype=torch.bfloat16)
case("_to_copy", t(3), dtype=torch.float64)
case("_to_copy", torch.tensor([1.7, -1.7, 0.0]), dtype=torch.int64)
case("type_as", t(3), torch.zeros(1, dtype=f64))
case("hann_window", 5)
case("vander", n(3), 3)
case("complex", t(3), t(3))
case("polar", pos(3), t(3))
case("view_as_real", c(3))
case("view_as_complex", t(2, 2))
case("real", c(3))
case("imag", c(3))
case("conj", c(3))
case("angle", c(3))
case("abs", c(3))

# Convolution, pooling, normalization, attention, dropout at the edges.
case("conv1d", t(1, 2, 5), t(3, 2, 3), t(3), [1], [1])
case("conv1d", t(1, 2, 5), t(3, 2, 3), None, [2], [0])
case("conv1d", t(1, 2, 5), t(2, 2, 3), t(2), [1], "same")
case("conv1d", t(1, 4, 5), t(4, 2, 2), None, [1], [0], [2], 2)
case("conv2d", t(1, 2, 4, 4), t(3, 2, 2, 2), t(3), [2, 1], [1, 0])
case("conv2d", t(1, 1, 3, 3), t(1, 1, 2, 2), None, [1], [1])
case("conv3d", t(1, 1, 2, 3, 3), t(1, 1, 2, 2, 2))
case("conv_transpose1d", t(1, 2, 3), t(2, 3, 2), t(3), [2])
case("conv_transpose2d", t(1, 2, 2, 2), t(2, 1, 2, 2), None, [2, 2])
case("max_pool1d", t(1, 1, 6), [2])
case("max_pool2d", t(1, 1, 4, 4), [2, 2])
case("max_pool2d_with_indices", t(1, 1, 4, 4), [2, 2], [2, 2])
case("avg_pool1d", t(1, 1, 6), [2], [1])
case("avg_pool2d", t(1, 1, 4, 4), [2, 2], [1, 1], [1, 1], False, False)
case("adaptive_avg_pool2d", t(1, 1, 4, 4), [2, 3])
case("adaptive_avg_pool1d", t(1, 1, 6), [3])
case("adaptive_max_pool2d", t(1, 1, 4, 4), [2, 2])
case("upsample_nearest1d", t(1, 1, 3), [6])
case("upsample_bilinear2d", t(1, 1, 2, 2), [4, 4], False)
case("grid_sampler", t(1, 1, 3, 3), unit(1, 2, 2, 2), 0, 0, False)
case("layer_norm", t(2, 4), [4], t(4), t(4), 1e-5)
case("layer_norm", t(2, 4), [4])
case("rms_norm", t(2, 4), [4], t(4), 1e-6)
case("group_norm", t(2, 4, 3), 2, t(4), t(4))
case("batch_norm", t(3, 2), t(2), t(2), None, None, True, 0.1, 1e-5, False)
case("batch_norm", t(3, 2), t(2), t(2), n(2), n(2, low=0.5, high=2), False, 0.1, 1e-5, False)
case("instance_norm", t(2, 2, 4), None, None, None, None, True, 0.1, 1e-5, False)
case("softmax", t(2, 3), -1)
case("softmax", t(2, 3), 0, torch.float64)
case("log_softmax", t(2, 3), 1)
case("_softmax", t(2, 3), 1, False)
case("scaled_dot_product_attention", t(1, 2, 3, 4), t(1, 2, 3, 4), t(1, 2, 3, 4), is_causal=True)
case("scaled_dot_product_attention", t(1, 2, 3, 4), t(1, 2, 5, 4), t(1, 2, 5, 4), b(3, 5), scale=0.3)
case("scaled_dot_product_attention", t(1, 4, 3, 4), t(1, 2, 3, 4), t(1, 2, 3, 4), enable_gqa=True)
case("scaled_dot_product_attention", t(1, 2, 3, 4), t(1, 2, 3, 4), t(1, 2, 3, 4), n(3, 3))
case("dropout", t(4), 0.0, True)
case("dropout", t(4), 0.5, False)
case("lstm", t(3, 1, 2), [n(1, 1, 2), n(1, 1, 2)], [t(8, 2), t(8, 2), t(8), t(8)], True, 1, 0.0, False, False, False)
case("gru", t(3, 1, 2), n(1, 1, 2), [t(6, 2), t(6, 2), t(6), t(6)], True, 1, 0.0, False, False, False)
case("lstm_cell", t(2, 3), [t(2, 2), t(2, 2)], t(8, 3), t(8, 2))

# Losses.
case("mse_loss", t(2, 3), t(2, 3))
case("mse_loss", t(2, 3), n(2, 3), 0)
case("l1_loss", t(2, 3), n(2, 3), 2)
case("smooth_l1_loss", t(2, 3), n(2, 3), 1, 0.5)
case("huber_loss", t(2, 3), n(2, 3), 1, 0.5)
case("cross_entropy_loss", t(3, 4), torch.tensor([0, 3, -100]))
case("cross_entropy_loss", t(3, 4), torch.tensor([0, 3, 1]), pos(4, grad=False), 2, -100, 0.1)
case("cross_entropy_loss", t(2, 3), torch.tensor([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]]))
case("nll_loss", t(3, 4), torch.tensor([0, 3, 1]))
case("nll_loss2d", t(1, 3, 2, 2), i(1, 2, 2, high=3))
case("kl_div", t(2, 3), pos(2, 3, grad=False), 2)
case("kl_div", t(2, 3), t(2, 3), 1, log_target=True)
case("binary_cross_entropy", t(4, low=0.05, high=0.95), n(4, low=0, high=1))
case("binary_cross_entropy_with_logits", t(4), n(4, low=0, high=1), None, pos(4, grad=False))
case("margin_ranking_loss", t(3), t(3), torch.tensor([1.0, -1.0, 1.0]), 0.2)
case("hinge_embedding_loss", t(3), torch.tensor([1.0, -1.0, 1.0]))
case("triplet_margin_loss", t(2, 3), t(2, 3), t(2, 3))
case("cosine_embedding_loss", t(2, 3), t(2, 3), torch.tensor([1.0, -1.0]))
case("poisson_nll_loss", t(3), pos(3, grad=False), True, False, 1e-8, 1)
case("soft_margin_loss", t(3), torch.tensor([1.0, -1.0, 1.0]))
case("multilabel_margin_loss", t(2, 3), torch.tensor([[0, -1, 0], [1, 2, -1]]))
case("multi_margin_loss", t(2, 3), torch.tensor([0, 2]))
case("ctc_loss", torch.log_softmax(n(4, 1, 3), -1).mul(1000).round().div(1000).requires_grad_(), torch.tensor([[1, 2]]), [4], [2], 0, 1, False)

# Linear algebra.
case("linalg_inv", spd(3))
case("linalg_solve", spd(3), t(3, 2))
case("linalg_cholesky", spd(3))
case("cholesky_inverse", spd(2))
case("linalg_det", spd(3))
case("linalg_slogdet", spd(3))
case("linalg_eigvalsh", spd(3))
case("linalg_eigh", spd(3), tolerance="signs")
case("linalg_svdvals", t(3, 2))
case("linalg_qr", t(3, 2))
case("linalg_lstsq", n(3, 2), n(3, 1))
case("linalg_matrix_exp", t(2, 2))
case("linalg_matrix_power", t(2, 2), 3)
case("linalg_pinv", t(3, 2))
case("linalg_matrix_rank", n(3, 2))
case("linalg_solve_triangular", torch.tril(spd(3).detach()).requires_grad_(), t(3, 1), upper=False)
case("linalg_lu_factor", spd(3))
case("linalg_norm", t(2, 3))
case("linalg_cond", spd(2))
case("linalg_eigvals", spd(2))
case("linalg_householder_product", n(3, 2), n(2))
case("triangular_solve", t(2, 1), torch.triu(spd(2).detach()))
case("fft_fft", t(4))
case("fft_rfft", t(5))
case("fft_irfft", c(3), 4)
case("fft_ifft2", c(2, 2))
case("fft_fftshift", t(5))
case("stft", n(16), 8, 4, None, torch.ones(8), False, True, True)

# Lists of tensors.
case("_foreach_add", [t(2), t(3)], 1.5)
case("_foreach_add", [t(2), t(3)], [t(2), t(3)], alpha=2)
case("_foreach_add", [t(2), t(3)], [1.0, 2.0])
case("_foreach_mul", [t(2), t(3)], 2)
case("_foreach_mul_", [n(2), n(3)], 0.5)
case("_foreach_div", [t(2), t(3)], [pos(2), pos(3)])
case("_foreach_sqrt", [pos(2), pos(3)])
case("_foreach_addcmul", [t(2)], [t(2)], [t(2)], 0.5)
case("_foreach_addcdiv_", [n(2)], [n(2)], [pos(2, grad=False)], [0.5])
case("_foreach_lerp", [t(2)], [t(2)], 0.25)
case("_foreach_norm", [t(4), t(3)], 2)
case("_foreach_norm", [t(4)], 1)
case("_foreach_maximum", [t(3)], [t(3)])
case("_foreach_pow", [pos(3)], 2)
case("_foreach_copy_", [n(2), n(3)], [n(2), n(3)])
case("_foreach_zero_", [n(2), n(3)])
case("_foreach_neg", [t(2), t(2)])

# Half precision and integers of all widths.
case("add", t(3, dtype=torch.bfloat16), t(3, dtype=torch.bfloat16))
case("matmul", t(2, 4, dtype=torch.bfloat16), t(4, 2, dtype=torch.bfloat16), tolerance=0.02)
case("softmax", t(2, 4, dtype=torch.float16), -1, tolerance=0.002)
for dtype in [torch.int8, torch.int16, torch.int32, torch.uint8]:
    case("add", i(4, dtype=dtype), i(4, dtype=dtype))
    case("sum", i(4, dtype=dtype))

OUT.write_text("[\n" + ",\n".join(json.dumps(item, separators=(",", ":")) for item in cases) + "\n]\n")
print(len(cases), "cases of", len({item["op"] for item in cases}), "operators,", OUT.stat().st_size, "bytes")
