"""The peer: the same decoder in plain PyTorch, eager or compiled, with its fused AdamW. Same protocol as contender.ts."""
import json
import resource
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

V, D, FF, L, H, T = map(int, sys.argv[1].split(","))
dtype, threads, mode = sys.argv[2], int(sys.argv[3]), sys.argv[4]
torch.set_num_threads(threads)
torch.manual_seed(0)
B, E = 8, D // H


class RMSNorm(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(D))

    def forward(self, x):
        return F.rms_norm(x, (D,), self.weight, 1e-5)


def rope(x, cos, sin):
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat((-b, a), -1) * sin


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = RMSNorm(), RMSNorm()
        self.q, self.k, self.v, self.o = (nn.Linear(D, D, bias=False) for _ in range(4))
        self.gate, self.up, self.down = nn.Linear(D, FF, bias=False), nn.Linear(D, FF, bias=False), nn.Linear(FF, D, bias=False)

    def forward(self, x, cos, sin):
        y = self.norm1(x)
        q, k, v = (p(y).view(B, T, H, E).transpose(1, 2) for p in (self.q, self.k, self.v))
        y = F.scaled_dot_product_attention(rope(q, cos, sin), rope(k, cos, sin), v, is_causal=True)
        x = x + self.o(y.transpose(1, 2).reshape(B, T, D))
        y = self.norm2(x)
        return x + self.down(F.silu(self.gate(y)) * self.up(y))


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(V, D)
        self.layers = nn.ModuleList(Layer() for _ in range(L))
        self.norm = RMSNorm()
        for p in self.parameters():
            if p.dim() == 2:
                nn.init.normal_(p, 0, 0.02)
        f = 1.0 / 10000.0 ** (torch.arange(0, E, 2).float() / E)
        angles = torch.outer(torch.arange(T).float(), f)
        angles = torch.cat((angles, angles), -1)
        self.register_buffer("cos", angles.cos())
        self.register_buffer("sin", angles.sin())

    def forward(self, ids):
        x = self.embed(ids)
        for layer in self.layers:
            x = layer(x, self.cos, self.sin)
        return F.linear(self.norm(x), self.embed.weight)


start = time.perf_counter()
model = Decoder()
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4, betas=(0.9, 0.95), weight_decay=0.1, fused=True)
ids = torch.randint(V, (B, T + 1))


def loss_of():
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=dtype == "bfloat16"):
        return F.cross_entropy(model(ids[:, :-1]).view(-1, V), ids[:, 1:].reshape(-1))


if mode == "compiled":
    loss_of = torch.compile(loss_of)


def step():
    loss = loss_of()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return loss.item()


built = time.perf_counter()
first = step()
print(json.dumps({"contender": "pytorch " + mode, "buildSeconds": built - start, "firstStepSeconds": time.perf_counter() - built, "firstLoss": first}), flush=True)
for line in sys.stdin:
    begin, cpu = time.perf_counter(), time.process_time()
    for _ in range(int(line)):
        loss = step()
    print(json.dumps({"seconds": time.perf_counter() - begin, "cpuSeconds": time.process_time() - cpu, "loss": loss, "peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}), flush=True)
