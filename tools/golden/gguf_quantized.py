"""Blocks of every quantized GGUF type and their values, and values with their Q8_0 blocks, as the package `gguf` computes them.

    python tools/golden/gguf_quantized.py      (gguf 0.19, numpy)

Writes packages/perennial/src/gguf/golden/quantized.json; bytes are base64, values little-endian float32.
"""
import base64
import json
from pathlib import Path

import gguf
import numpy as np
from gguf.quants import dequantize, quantize

OUT = Path(__file__).parents[2] / "packages/perennial/src/gguf/golden/quantized.json"
TYPES = ["Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K"]
# Where the half-precision scales of a block lie: random bytes there would mostly be absurd.
SCALES = {"Q8_0": [0], "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208]}
BLOCKS = 6


def text(array):
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


random = np.random.default_rng(7)
golden = {"dequantized": {}, "quantized": {}}
for name in TYPES:
    qtype = gguf.GGMLQuantizationType[name]
    _, size = gguf.GGML_QUANT_SIZES[qtype]
    blocks = random.integers(0, 256, (BLOCKS, size), dtype=np.uint8)
    for at in SCALES[name]:
        scales = (random.standard_normal(BLOCKS) * 10.0 ** random.integers(-6, 3, BLOCKS)).astype(np.float16)
        blocks[:, at:at + 2] = scales.view(np.uint8).reshape(BLOCKS, 2)
    values = dequantize(blocks, qtype).astype(np.float32)
    golden["dequantized"][name] = {"blocks": text(blocks), "values": text(values)}

values = (random.standard_normal((64, 32)) * 10.0 ** random.integers(-9, 4, (64, 1))).astype(np.float32)
values[3] = 0
values[4, 5:] = 0
values[5] = np.arange(32) - 16  # ties: halves after scaling
values[6] = np.arange(32) / 2 - 7.75
values[6, 0] = 127
golden["quantized"]["Q8_0"] = {"values": text(values), "blocks": text(quantize(values, gguf.GGMLQuantizationType.Q8_0))}
OUT.write_text(json.dumps(golden, indent=1) + "\n")
