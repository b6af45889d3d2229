"""Merged tensors as mergekit 0.1 computes them: linear, SLERP, task arithmetic, TIES.

    python tools/golden/merge.py      (pip install mergekit)

Writes packages/perennial/src/adapt/merge/golden/mergekit.safetensors. DARE is random there and has closed forms in the test.
"""
from pathlib import Path

import torch
from mergekit.merge_methods import merge_tensors
from safetensors.torch import save_file

OUT = Path(__file__).parents[2] / "packages/perennial/src/adapt/merge/golden/mergekit.safetensors"
torch.manual_seed(1)
base = torch.randn(13, 7)
models = [base + torch.randn(13, 7) * 0.3 for _ in range(3)]
weights = [1.0, 0.5, 2.0]


def vectors(method, **parameters):
    return merge_tensors([base, *models], method, base_index=0, parameters={"weight": weights, **parameters})


golden = {
    "base": base, **{f"model{i}": model for i, model in enumerate(models)},
    "linear": merge_tensors(models, "linear", parameters={"weight": weights}),
    "linearSum": merge_tensors(models, "linear", parameters={"weight": weights, "normalize": False}),
    "slerp": merge_tensors([base, models[0].flip(0)], "slerp", base_index=0, parameters={"t": 0.3}),
    "taskArithmetic": vectors("task_arithmetic", **{"lambda": 0.7}),
    "ties": vectors("ties", density=[0.2, 0.5, 0.8], **{"lambda": 0.7}),
}
OUT.parent.mkdir(exist_ok=True)
save_file({name: tensor.contiguous() for name, tensor in golden.items()}, OUT)
