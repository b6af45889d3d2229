"""Writes packages/torch/golden/{layers,optimizers,random,training,printed}.json: PyTorch's layers with their initialization,
losses, optimizers over 50 steps, random numbers, autocast, and a small decoder over 20 training steps in fp32 and bf16.
Run: python tools/golden/torch_training.py      (torch 2.15.0)"""

import contextlib
import json
import math
import pathlib

import torch
import torch.nn.functional as F
from torch import nn

OUT = pathlib.Path(__file__).parents[2] / "packages/torch/golden"
NAMES = {torch.float32: "float32", torch.float64: "float64", torch.bfloat16: "bfloat16", torch.int64: "int64", torch.bool: "bool", torch.uint8: "uint8"}


def number(x):
    if x != x or math.isinf(x):
        return str(x)
    return float(f"{x:.8g}") if x != int(x) else int(x)


def encode(tensor):
    flat = tensor.detach().contiguous().flatten()
    data = [number(x) for x in flat.double().tolist()] if tensor.dtype.is_floating_point else [int(x) for x in flat.tolist()]
    return {"t": NAMES[tensor.dtype], "s": list(tensor.shape), "d": data}


def write(name, value):
    path = OUT / f"{name}.json"
    items = value if isinstance(value, list) else [[key, item] for key, item in value.items()]
    lines = [json.dumps(item, separators=(",", ":")) for item in items] if isinstance(value, list) else [
        f"{json.dumps(key)}:{json.dumps(item, separators=(',', ':'))}" for key, item in items]
    left, right = "[]" if isinstance(value, list) else "{}"
    path.write_text(left + "\n" + ",\n".join(lines) + "\n" + right + "\n")
    print(path.name, path.stat().st_size, "bytes")


def wave(shape, phase, dtype=torch.float32):
    """sin(0.7 i + phase): the same numbers in both languages."""
    return torch.sin(0.7 * torch.arange(math.prod(shape), dtype=torch.float64) + phase).to(dtype).reshape(shape)


# Layers: made after manual_seed(7), so that the initialization is compared too; loss = Σ wave(1) · output.
def layers():
    made = []

    def layer(name, build, x, prepare=None):
        torch.manual_seed(7)
        module = build()
        if prepare is not None:
            prepare(module)
        x = x.clone().requires_grad_(x.dtype.is_floating_point)
        torch.manual_seed(8)
        y = module(x)
        (wave(y.shape, 1) * y).sum().backward()
        made.append({"name": name, "state": {key: encode(value) for key, value in module.state_dict().items()}, "x": encode(x), "y": encode(y),
                     "gradX": None if x.grad is None else encode(x.grad),
                     "grads": {key: encode(p.grad) for key, p in module.named_parameters() if p.grad is not None}})

    def waves(module):
        with torch.no_grad():
            for k, p in enumerate(module.parameters()):
                p.copy_(wave(p.shape, k))

    ids = torch.tensor([[0, 3, 3], [5, 1, 0]])
    layer("linear", lambda: nn.Linear(5, 3), wave((2, 5), 0))
    layer("linearWithoutBias", lambda: nn.Linear(20, 4, bias=False), wave((2, 2, 20), 0))
    layer("embedding", lambda: nn.Embedding(6, 4), ids)
    layer("embeddingWithPadding", lambda: nn.Embedding(6, 4, padding_idx=3), ids)
    layer("layerNorm", lambda: nn.LayerNorm(6), wave((2, 3, 6), 0), waves)
    layer("layerNormWithoutBias", lambda: nn.LayerNorm([3, 6], eps=1e-3, bias=False), wave((2, 3, 6), 0), waves)
    layer("rmsNorm", lambda: nn.RMSNorm(6, eps=1e-6), wave((2, 3, 6), 0), waves)
    layer("dropout", lambda: nn.Dropout(0.4), wave((4, 8), 0))
    layer("conv1d", lambda: nn.Conv1d(4, 6, 3, stride=2, padding=1, groups=2), wave((2, 4, 7), 0))
    layer("conv2d", lambda: nn.Conv2d(2, 3, (2, 3), padding=(1, 0), dilation=(1, 2), bias=False), wave((1, 2, 5, 6), 0))
    layer("gelu", lambda: nn.GELU(), wave((2, 5), 0) * 3)
    layer("geluTanh", lambda: nn.GELU("tanh"), wave((2, 5), 0) * 3)
    layer("silu", lambda: nn.SiLU(), wave((2, 5), 0) * 3)
    layer("sequential", lambda: nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.Linear(8, 2)), wave((3, 4), 0))
    write("layers", made)


def losses():
    logits, soft = wave((6, 4), 0) * 2, torch.softmax(wave((6, 4), 2), -1)
    labels = torch.tensor([0, 3, -100, 1, 2, 2])
    weight = torch.tensor([1.0, 0.5, 2.0, 0.25])
    made = {}

    def loss(name, f):
        x = logits.clone().requires_grad_()
        y = f(x)
        (wave(y.shape, 1) * y).sum().backward()
        made[name] = {"y": encode(y), "gradient": encode(x.grad)}

    for reduction in ["mean", "sum", "none"]:
        loss(f"crossEntropy/{reduction}", lambda x: F.cross_entropy(x, labels, reduction=reduction))
        loss(f"crossEntropySmoothed/{reduction}", lambda x: F.cross_entropy(x, labels, weight=weight, label_smoothing=0.1, reduction=reduction))
        loss(f"crossEntropySoft/{reduction}", lambda x: F.cross_entropy(x, soft, reduction=reduction))
        loss(f"mse/{reduction}", lambda x: F.mse_loss(x, soft, reduction=reduction))
        loss(f"l1/{reduction}", lambda x: F.l1_loss(x, soft, reduction=reduction))
        loss(f"kl/{reduction}", lambda x: F.kl_div(x.log_softmax(-1), soft, reduction=reduction))
        loss(f"klLog/{reduction}", lambda x: F.kl_div(x.log_softmax(-1), soft.log(), reduction=reduction, log_target=True))
        loss(f"binary/{reduction}", lambda x: F.binary_cross_entropy_with_logits(x, soft, pos_weight=weight, reduction=reduction))
    return made


def attention():
    q, k, v = wave((2, 4, 5, 8), 0), wave((2, 2, 5, 8), 1), wave((2, 2, 5, 8), 2)
    mask = (torch.arange(5)[:, None] >= torch.arange(5)) & (torch.arange(5)[:, None] - torch.arange(5) < 3)
    made = {}
    for name, options in {"causal": {"is_causal": True}, "mask": {"attn_mask": mask}, "bias": {"attn_mask": wave((5, 5), 3)}, "scale": {"scale": 0.5}}.items():
        leaves = [tensor.clone().requires_grad_() for tensor in (q, k, v)]
        y = F.scaled_dot_product_attention(*leaves, enable_gqa=True, **options)
        (wave(y.shape, 1) * y).sum().backward()
        made[name] = {"y": encode(y), "grads": [encode(leaf.grad) for leaf in leaves]}
    return made


# Optimizers: gradients wave(1.3 step + parameter) · (1 + step mod 3), parameters from wave(2 + parameter).
SHAPES = [[4, 6], [7, 3], [5], [2, 3, 4]]
SNAPSHOTS = [1, 2, 10, 50]


def optimizers():
    made = []

    # `late`: the last parameter has no gradient before step 4, and none in every fifth step.
    def run(name, build, settings, shapes=SHAPES, late=False):
        parameters = [wave(shape, 2 + p).requires_grad_() for p, shape in enumerate(shapes)]
        optimizer = build(parameters)
        snapshots = {}
        for step in range(1, 51):
            for p, parameter in enumerate(parameters):
                parameter.grad = wave(parameter.shape, 1.3 * step + p) * (1 + step % 3)
            if late and (step < 4 or step % 5 == 0):
                parameters[-1].grad = None
            optimizer.step()
            if step in SNAPSHOTS:
                snapshots[step] = [encode(parameter) for parameter in parameters]
        made.append({"optimizer": name, "settings": settings, "shapes": shapes, **({"late": True} if late else {}), "snapshots": snapshots})

    run("AdamW", lambda p: torch.optim.AdamW(p), {})
    run("AdamW", lambda p: torch.optim.AdamW(p, lr=0.02, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.1),
        {"learningRate": 0.02, "beta1": 0.8, "beta2": 0.95, "eps": 1e-6, "weightDecay": 0.1})
    run("SGD", lambda p: torch.optim.SGD(p, lr=0.01), {"learningRate": 0.01})
    run("SGD", lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9, weight_decay=0.05), {"learningRate": 0.01, "momentum": 0.9, "weightDecay": 0.05})
    run("SGD", lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9, nesterov=True), {"learningRate": 0.01, "momentum": 0.9, "nesterov": True})
    run("SGD", lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9, dampening=0.3), {"learningRate": 0.01, "momentum": 0.9, "dampening": 0.3})
    run("Adafactor", lambda p: torch.optim.Adafactor(p), {})
    run("Adafactor", lambda p: torch.optim.Adafactor(p, lr=0.1, beta2_decay=-0.6, eps=(1e-8, 1e-2), d=1.5, weight_decay=0.1),
        {"learningRate": 0.1, "beta2Decay": -0.6, "eps1": 1e-8, "eps2": 1e-2, "clipThreshold": 1.5, "weightDecay": 0.1})
    run("Muon", lambda p: torch.optim.Muon(p), {}, SHAPES[:2])
    run("Muon", lambda p: torch.optim.Muon(p, lr=0.02, momentum=0.8, nesterov=False, weight_decay=0, adjust_lr_fn="match_rms_adamw"),
        {"learningRate": 0.02, "momentum": 0.8, "nesterov": False, "weightDecay": 0, "adjustment": "matchRmsAdamw"}, SHAPES[:2])
    run("AdamW", lambda p: torch.optim.AdamW(p, lr=0.02), {"learningRate": 0.02}, late=True)
    run("SGD", lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9, dampening=0.3), {"learningRate": 0.01, "momentum": 0.9, "dampening": 0.3}, late=True)
    run("Adafactor", lambda p: torch.optim.Adafactor(p, lr=0.1), {"learningRate": 0.1}, late=True)
    run("Muon", lambda p: torch.optim.Muon(p), {}, SHAPES[:2], late=True)
    write("optimizers", made)


def random():
    made = []
    for seed in [0, 1234, 2**40 + 17]:
        torch.manual_seed(seed)
        one = {"seed": str(seed)}
        one["randn"] = encode(torch.randn(5))
        one["randnLong"] = encode(torch.randn(35))
        one["rand"] = encode(torch.rand(6))
        one["randint"] = encode(torch.randint(-5, 1000, (8,)))
        one["randperm"] = encode(torch.randperm(12))
        one["bernoulli"] = encode(torch.bernoulli(torch.full((12,), 0.3)))
        one["dropout"] = encode(F.dropout(torch.ones(20), 0.25))
        one["normal_"] = encode(torch.empty(20).normal_(2, 0.5))
        one["uniform_"] = encode(torch.empty(4, dtype=torch.float64).uniform_(-1, 3))
        one["multinomial"] = encode(torch.multinomial(torch.tensor([0.1, 0.2, 0.3, 0.4]), 10, replacement=True))
        one["multinomialUnique"] = encode(torch.multinomial(torch.tensor([0.1, 0.2, 0.3, 0.4]), 3))
        one["exponential_"] = encode(torch.empty(5).exponential_(1.5))
        one["bernoulli_"] = encode(torch.empty(8).bernoulli_(0.7))
        one["geometric_"] = encode(torch.empty(5).geometric_(0.4))
        one["cauchy_"] = encode(torch.empty(4).cauchy_())
        one["logNormal_"] = encode(torch.empty(4).log_normal_(0, 0.3))
        one["randnBfloat16"] = encode(torch.randn(18, dtype=torch.bfloat16))
        one["generator"] = encode(torch.randn(3, generator=torch.Generator().manual_seed(seed)))
        one["after"] = encode(torch.rand(2))
        made.append(one)
    write("random", made)


# A Llama-shaped decoder of plain operators: V 64, D 32, L 4, H 4, K 2, E 8, F 48, batch 2 × 12.
V, D, L, H, K, E, FF, B, T = 64, 32, 4, 4, 2, 8, 48, 2, 12
WEIGHTS = [("embed", [V, D]), *[(f"{layer}.{name}", shape) for layer in range(L) for name, shape in [
    ("norm1", [D]), ("q", [H * E, D]), ("k", [K * E, D]), ("v", [K * E, D]), ("o", [D, H * E]),
    ("norm2", [D]), ("gate", [FF, D]), ("up", [FF, D]), ("down", [D, FF])]], ("norm", [D]), ("head", [V, D])]


def decoder_loss(w, ids):
    def norm(x, weight):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * weight

    positions = torch.arange(T, dtype=torch.float32)
    angles = positions[:, None] * torch.pow(10000.0, torch.arange(0, E, 2, dtype=torch.float32) / -E)
    angles = torch.cat([angles, angles], -1)
    cos, sin = angles.cos(), angles.sin()

    def rope(x):
        return x * cos + torch.cat([-x[..., E // 2:], x[..., : E // 2]], -1) * sin

    hidden = F.embedding(ids[:, :-1], w["embed"])
    mask = torch.full((T, T), -math.inf).triu(1)
    for layer in range(L):
        x = norm(hidden, w[f"{layer}.norm1"])
        q, k, v = (F.linear(x, w[f"{layer}.{name}"]).reshape(B, T, -1, E).transpose(1, 2) for name in "qkv")
        q, k = rope(q), rope(k)
        k, v = k.repeat_interleave(H // K, 1), v.repeat_interleave(H // K, 1)
        scores = torch.softmax(torch.matmul(q, k.transpose(-2, -1)) * E**-0.5 + mask, -1)
        hidden = hidden + F.linear(torch.matmul(scores, v).transpose(1, 2).reshape(B, T, H * E), w[f"{layer}.o"])
        x = norm(hidden, w[f"{layer}.norm2"])
        hidden = hidden + F.linear(F.silu(F.linear(x, w[f"{layer}.gate"])) * F.linear(x, w[f"{layer}.up"]), w[f"{layer}.down"])
    logits = F.linear(norm(hidden, w["norm"]), w["head"])
    return F.cross_entropy(logits.reshape(-1, V), ids[:, 1:].reshape(-1))


def train_decoder(bf16):
    torch.manual_seed(42)
    w = {name: (torch.ones(shape) if "norm" in name else torch.randn(shape) * 0.15).requires_grad_() for name, shape in WEIGHTS}
    optimizer = torch.optim.AdamW(w.values(), lr=3e-3, weight_decay=0.1, betas=(0.9, 0.95))
    steps = []
    for _ in range(20):
        ids = torch.randint(0, V, (B, T + 1)) // 2
        with torch.autocast("cpu", torch.bfloat16) if bf16 else contextlib.nullcontext():
            loss = decoder_loss(w, ids)
        optimizer.zero_grad()
        loss.backward()
        steps.append({"loss": number(loss.item()), "norms": [number(parameter.grad.norm().item()) for parameter in w.values()]})
        optimizer.step()
    return steps


def autocast():
    torch.manual_seed(3)
    net = nn.Sequential(nn.Linear(16, 32), nn.GELU(), nn.LayerNorm(32), nn.Linear(32, 5))
    x, labels = wave((6, 16), 0), torch.tensor([0, 1, 2, 3, 4, 0])
    with torch.autocast("cpu", torch.bfloat16):
        first = net[0](x)
        logits = net(x)
        probabilities = torch.softmax(logits, -1)
        loss = F.cross_entropy(logits, labels)
        with torch.autocast("cpu", enabled=False):
            plain = net[0](x)
    loss.backward()
    return {"first": encode(first), "logits": encode(logits), "probabilities": encode(probabilities), "plain": encode(plain), "loss": number(loss.item()),
            "lossDtype": NAMES[loss.dtype], "grads": [encode(p.grad) for p in net.parameters()]}


def printed():
    """What print shows; each tensor by a line of data that both languages understand."""
    inf, nan = math.inf, math.nan
    made = []

    def show(tensor):
        data = [str(x) if x != x or math.isinf(x) or (x == 0 and math.copysign(1, x) < 0) else x for x in torch.view_as_real(tensor).flatten().tolist()] \
            if tensor.dtype.is_complex else [
            (str(x) if isinstance(x, float) and (x != x or math.isinf(x) or (x == 0 and math.copysign(1, x) < 0)) else int(x) if isinstance(x, bool) else x)
            for x in tensor.detach().flatten().tolist()]
        made.append({"t": str(tensor.dtype).removeprefix("torch."), "s": list(tensor.shape), "d": data, "g": int(tensor.requires_grad), "text": str(tensor)})

    for data in [[1.0, 2.0, 3.0], [1.5, -2.25], [0.1, 0.2, 0.3], [1e-5, 1.0], [1e-8, 2e-8], [12345.678, 0.5], [1e9, 1.0], [123456789.0], [1e10, 2e10], [1000.5, 1.5], [0.03125, 0.09375], [1.23445e8], [123455008.0, 1e3],
                 [inf, -inf, nan, 1.0], [nan], [inf], [nan, 0.5], [0.0, -0.0, 1.0], [-0.0], [0.0], [-0.0, 0.5], [1e-4, 0.5], [99999.5], [1e-45], [3.0e38, 1.0], [-1.0, 10.0, 100.0], [0.00012, 3.0],
                 [100000.0, 1.0], [1001.0, 1.0], [1e8], [1.1e8], [0.5, inf], [2.0, inf, nan], [1e-5]]:
        show(torch.tensor(data))
    show(torch.tensor([complex(1, -0.0), complex(inf, -nan)]))
    show(torch.full((20,), inf))
    show(torch.tensor(3.14159))
    show(torch.tensor(7))
    show(torch.tensor(2.0))
    show(torch.tensor(True))
    show(torch.tensor([]))
    show(torch.zeros(0, 3))
    show(torch.zeros(2, 0, dtype=torch.int64))
    show(torch.zeros(0, dtype=torch.int64))
    show(torch.tensor([True, False, True]))
    show(torch.tensor([[1, -20], [300, 4]]))
    show(torch.tensor([1, 2], dtype=torch.int32))
    show(torch.tensor([1, 255], dtype=torch.uint8))
    show(torch.tensor([2**62, 1]))
    show(torch.tensor([[0.5, 1.5], [2.5, 3.5]], dtype=torch.float64))
    show(torch.tensor([0.5, 1.5], dtype=torch.bfloat16))
    show(torch.tensor([0.5, 65504.0], dtype=torch.float16))
    show(torch.tensor([1 + 2j, -0.5 - 1j]))
    show(torch.tensor([1 + 2j, 3 - 4j]))
    show(torch.tensor([[1 + 2j], [0 + 0j]], dtype=torch.complex128))
    show(torch.tensor(1.5 - 2j))
    show(torch.tensor([1.0, 2.0]).requires_grad_())
    show(torch.arange(24).reshape(2, 3, 4))
    show(torch.arange(16.0).reshape(2, 2, 2, 2))
    show(torch.arange(30))
    show(torch.arange(40) / 7)
    show(torch.arange(1200))
    show(torch.arange(1200.0).reshape(30, 40))
    show(torch.arange(2000).reshape(2, 10, 100) / 3)
    show(torch.arange(1001).reshape(1001, 1))
    show(torch.arange(1100).reshape(11, 4, 5, 5))
    show(torch.arange(1002) % 2 == 0)
    show(torch.arange(6.0).reshape(1, 1, 1, 1, 6))
    show(torch.tensor([[1e-3, 1e3], [1.0, 2.0]]))
    write("printed", made)


layers()
optimizers()
random()
write("training", {"losses": losses(), "attention": attention(), "autocast": autocast(), "decoder": {"float32": train_decoder(False), "bfloat16": train_decoder(True)}})
printed()
