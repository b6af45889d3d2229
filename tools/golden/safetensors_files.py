"""Writes packages/torch/golden/dtypes.safetensors (every dtype, by the reference implementation of safetensors 0.8) and checks a file
that our writer made.
Run: python tools/golden/safetensors_files.py [FILE-WRITTEN-BY-US]      (torch 2.15.0, safetensors 0.8.0)"""

import pathlib
import sys

import torch
from safetensors import safe_open
from safetensors.torch import save_file

OUT = pathlib.Path(__file__).parents[2] / "packages/torch/golden/dtypes.safetensors"
DTYPES = ["float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "uint16", "uint32", "uint64", "bool",
          "float8_e4m3fn", "float8_e5m2", "complex64"]


def data(name):
    """Six numbers: 0, 1, -1 (or 1), 2, 0.5 (or 0) and 3, as [2, 3]."""
    dtype = getattr(torch, name)
    numbers = torch.tensor([0.0, 1.0, 1.0 if name.startswith("u") or name == "bool" else -1.0, 2.0, 0.5, 3.0])
    return (torch.complex(numbers, -numbers) if name == "complex64" else numbers).to(dtype).reshape(2, 3)


if len(sys.argv) == 1:
    save_file({name: data(name) for name in DTYPES} | {"empty": torch.zeros(0, 4), "scalar": torch.tensor(7.0)}, OUT, {"made": "by Python"})
    print(OUT.name, OUT.stat().st_size, "bytes")
else:
    with safe_open(sys.argv[1], "pt") as file:
        assert file.metadata() == {"made": "by TypeScript"}, file.metadata()
        assert sorted(file.keys()) == sorted([*DTYPES, "empty", "scalar"]), file.keys()
        for name in DTYPES:
            found, wanted = file.get_tensor(name), data(name)
            assert found.dtype == wanted.dtype and torch.equal(found.view(torch.uint8), wanted.view(torch.uint8)), name
        assert list(file.get_tensor("empty").shape) == [0, 4] and file.get_tensor("scalar").item() == 7
    print("all", len(DTYPES), "dtypes bit-equal in Python")
