"""Merged tensors and a merged folder as mergekit 0.1 computes them: linear, SLERP, task arithmetic, TIES, DARE.

    python tools/golden/merge.py      (pip install mergekit)

Writes packages/perennial/src/adapt/merge/golden/: mergekit.safetensors, and folder.safetensors, the weights of a SLERP whose
`t` depends on layer and name, from tiny models that the test makes in the same way. DARE draws one mask a model: each draw
starts at a seed of its own here, so that masks do not depend on what was drawn before.
"""
import tempfile
from pathlib import Path

import mergekit.sparsify
import torch
import yaml
from mergekit.config import MergeConfiguration
from mergekit.merge import run_merge
from mergekit.merge_methods import merge_tensors
from mergekit.options import MergeOptions
from safetensors.torch import load_file, save_file

ROOT = Path(__file__).parents[2] / "packages/perennial/src"
OUT = ROOT / "adapt/merge/golden"
torch.manual_seed(1)
base = torch.randn(13, 7)
models = [base + torch.randn(13, 7) * 0.3 for _ in range(3)]
weights = [1.0, 0.5, 2.0]
density = [0.2, 0.5, 0.8]
SEEDS = [11, 12, 13]

bernoulli = torch.bernoulli


def vectors(method, inputs=models, **parameters):
    seeds = iter(SEEDS)

    def seeded(p):
        torch.manual_seed(next(seeds))
        return bernoulli(p)

    torch.bernoulli = seeded
    try:
        given = {"weight": weights[: len(inputs)], "lambda": 0.7, **parameters}
        return merge_tensors([base, *inputs], method, base_index=0, parameters=given)
    finally:
        torch.bernoulli = bernoulli


def slerp(a, b, t):
    return merge_tensors([a, b], "slerp", base_index=0, parameters={"t": t})


zeros = torch.zeros_like(base)
golden = {
    "base": base, **{f"model{i}": model for i, model in enumerate(models)},
    "linear": merge_tensors(models, "linear", parameters={"weight": weights}),
    "linearSum": merge_tensors(models, "linear", parameters={"weight": weights, "normalize": False}),
    "linearNegative": merge_tensors(models, "linear", parameters={"weight": [1.0, -0.5, 2.0]}),
    "slerp": slerp(base, models[0].flip(0), 0.3),
    "slerpStart": slerp(base, models[0].flip(0), 0.0),
    "slerpEnd": slerp(base, models[0].flip(0), 1.0),
    "slerpZero": slerp(base, zeros, 0.25),
    "slerpZeros": slerp(zeros, zeros, 0.25),
    "slerpParallel": slerp(base, base * 3, 0.25),
    "slerpOpposite": slerp(base, -base, 0.25),
    "taskArithmetic": vectors("task_arithmetic"),
    "ties": vectors("ties", density=density),
    "tiesWhole": vectors("ties", density=[1.0, 1.0, 1.0]),
    "tiesNothing": vectors("ties", density=[0.0, 0.0, 0.0]),
    "tiesNegative": vectors("ties", density=density, weight=[1.0, -0.5, 2.0]),
    "dareL1": vectors("dare_linear", density=density),
    "dareNone": vectors("dare_linear", density=density, rescale=False),
    "dareTies": vectors("dare_ties", density=density),
    "dareWhole": vectors("dare_linear", density=[1.0, 1.0, 1.0]),
    "dareNothing": vectors("dare_linear", density=[0.0, 0.0, 0.0]),
}
OUT.mkdir(exist_ok=True)
save_file({name: tensor.contiguous() for name, tensor in golden.items()}, OUT / "mergekit.safetensors")

# A folder: model b is the fixture with every value halved and its sign turned in odd positions.
fixture = ROOT / "model/golden/qwen3"
recipe = {
    "merge_method": "slerp", "base_model": "a", "dtype": "float32", "models": [{"model": "a"}, {"model": "b"}],
    "parameters": {"t": [{"filter": "self_attn", "value": [0, 0.5, 0.25]}, {"filter": "mlp", "value": [1, 0]}, {"value": [0.2, 0.8]}]},
}
with tempfile.TemporaryDirectory() as folder:
    tensors = load_file(fixture / "model.safetensors")
    for name, change in (("a", lambda x: x), ("b", lambda x: x.flatten().mul(0.5 - (torch.arange(x.numel()) % 2)).view_as(x))):
        target = Path(folder) / name
        target.mkdir()
        (target / "config.json").write_text((fixture / "config.json").read_text())
        save_file({key: change(value.float()).contiguous() for key, value in tensors.items()}, target / "model.safetensors", {"format": "pt"})
    text = yaml.safe_dump(recipe)
    for name in "ab":
        text = text.replace(f"base_model: {name}\n", f"base_model: {folder}/{name}\n").replace(f"model: {name}\n", f"model: {folder}/{name}\n")
    run_merge(MergeConfiguration.model_validate(yaml.safe_load(text)), f"{folder}/merged", MergeOptions(copy_tokenizer=False))
    merged = load_file(next(Path(folder, "merged").glob("model*.safetensors")))
    save_file(merged, OUT / "folder.safetensors")
