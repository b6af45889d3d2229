"""The peer of bench.ts: the same decoder and step in plain PyTorch, eager or compiled. Prints a line of JSON.
Run: python peer.py V,D,F,L,H,B,T device eager|compiled"""
import json
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

V, D, FF, L, H, B, T = map(int, sys.argv[1].split(","))
device, mode = sys.argv[2], sys.argv[3]
on_gpu = device == "cuda"
E = D // H
torch.manual_seed(0)


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
        y = F.scaled_dot_product_attention(rope(q, cos, sin).to(v.dtype), rope(k, cos, sin).to(v.dtype), v, is_causal=True)
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


model = Decoder().to(device)
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4, betas=(0.9, 0.95), weight_decay=0.1, fused=True)
ids = torch.randint(V, (B, T + 1), device=device)


def loss_of():
    with torch.autocast(device, dtype=torch.bfloat16):
        return F.cross_entropy(model(ids[:, :-1]).view(-1, V), ids[:, 1:].reshape(-1))


if mode == "compiled":
    loss_of = torch.compile(loss_of)


def step():
    loss_of().backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)


def seconds_of_step():
    if on_gpu:
        torch.cuda.synchronize()
    begin = time.perf_counter()
    step()
    if on_gpu:
        torch.cuda.synchronize()
    return time.perf_counter() - begin


warmup = seconds_of_step()
for _ in range(2):
    step()
times = sorted(seconds_of_step() for _ in range(10))
peak_bytes = torch.cuda.max_memory_allocated() if on_gpu else 0
print(json.dumps({"seconds": times[5], "warmupSeconds": warmup, "peakBytes": peak_bytes}))
