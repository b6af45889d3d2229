"""LoRA folders as PEFT writes them, and the weights that it merges them into.

    python tools/golden/peft_lora.py      (pip install peft)

Writes packages/perennial/src/adapt/peft/golden/<name>/: the adapter's folder and merged.safetensors, the changed weights.
The base models are those of tools/golden/decoder.py.
"""
import json
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

ROOT = Path(__file__).parents[2] / "packages/perennial/src"
CASES = {
    "qwen3": LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "v_proj", "down_proj"], task_type="CAUSAL_LM",
                        rank_pattern={"v_proj": 2}, alpha_pattern={"layers.1.mlp.down_proj": 3}),
    "phi3": LoraConfig(r=3, lora_alpha=5, use_rslora=True, target_modules=["qkv_proj", "gate_up_proj", "embed_tokens"],
                       modules_to_save=["lm_head"], task_type="CAUSAL_LM"),
    "gpt2": LoraConfig(r=2, lora_alpha=4, target_modules=["c_attn", "c_fc"], fan_in_fan_out=True, task_type="CAUSAL_LM"),
}

for name, config in CASES.items():
    torch.manual_seed(len(name))
    base = AutoModelForCausalLM.from_pretrained(ROOT / "model/golden" / name).float()
    before = {key: value.clone() for key, value in base.state_dict().items()}
    config.base_model_name_or_path = name
    model = get_peft_model(base, config)
    for key, parameter in model.named_parameters():
        if "lora_" in key or "modules_to_save" in key:
            torch.nn.init.normal_(parameter, 0, 0.3)
    folder = ROOT / "adapt/peft/golden" / name
    model.save_pretrained(folder, save_embedding_layers=False)
    (folder / "README.md").unlink()
    written = json.loads((folder / "adapter_config.json").read_text())
    written["base_model_name_or_path"] = name
    (folder / "adapter_config.json").write_text(json.dumps(written, indent=2, sort_keys=True) + "\n")
    merged = model.merge_and_unload().state_dict()
    changed = {key: value.contiguous() for key, value in merged.items() if not torch.equal(value, before[key])}
    save_file(changed, folder / "merged.safetensors")
