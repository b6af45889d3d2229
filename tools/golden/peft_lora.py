"""LoRA folders as PEFT writes them, and the weights that it merges them into.

    python tools/golden/peft_lora.py      (pip install peft)

Writes packages/perennial/src/adapt/peft/golden/<case>/: the adapter's folder and merged.safetensors, the changed weights.
The base models are those of tools/golden/decoder.py; base_model_name_or_path names them.
"""
import json
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

ROOT = Path(__file__).parents[2] / "packages/perennial/src"
CASES = {
    "qwen3": ("qwen3", dict(r=4, lora_alpha=8, target_modules=["q_proj", "v_proj", "down_proj"],
                            rank_pattern={"v_proj": 2}, alpha_pattern={"layers.1.mlp.down_proj": 3})),
    "phi3": ("phi3", dict(r=3, lora_alpha=5, use_rslora=True, target_modules=["qkv_proj", "gate_up_proj", "embed_tokens"],
                          modules_to_save=["lm_head"])),
    "gpt2": ("gpt2", dict(r=2, lora_alpha=4, target_modules=["c_attn", "c_fc"], fan_in_fan_out=True)),
    # Biases that were trained beside, and biases of B.
    "bias-all": ("qwen2", dict(r=2, lora_alpha=4, target_modules=["q_proj", "up_proj"], bias="all")),
    "bias-only": ("gpt2", dict(r=2, lora_alpha=4, target_modules=["c_proj"], fan_in_fan_out=True, bias="lora_only")),
    "bias-of-b": ("qwen2", dict(r=2, lora_alpha=5, target_modules=["k_proj"], lora_bias=True)),
    "dora": ("qwen3", dict(r=3, lora_alpha=6, target_modules=["k_proj", "down_proj"], use_dora=True)),
    "dora-turned": ("gpt2", dict(r=2, lora_alpha=4, target_modules=["c_attn"], use_dora=True, fan_in_fan_out=True)),
    "norms": ("llama3", dict(r=2, lora_alpha=3, target_modules=["o_proj"], modules_to_save=["norm", "embed_tokens"],
                             rank_pattern={r"layers\.0\.self_attn\.o_proj": 1})),
    # Where the head is tied to the embedding, changing one of them unties them: the adapted model computes with both. PEFT's own
    # merge changes both in the first case; what is stored here is what its model computes before merging, which is asserted.
    "untied-rows": ("qwen3", dict(r=2, lora_alpha=3, target_modules=["embed_tokens"])),
    "untied-head": ("qwen3", dict(r=2, lora_alpha=3, target_modules=["o_proj"], modules_to_save=["lm_head"])),
}

for case, (family, options) in CASES.items():
    torch.manual_seed(len(case))
    base = AutoModelForCausalLM.from_pretrained(ROOT / "model/golden" / family).float()
    if base.config.tie_word_embeddings and case in ("untied-rows", "untied-head", "norms"):
        base.config.tie_word_embeddings = False
        base.lm_head.weight = torch.nn.Parameter(base.lm_head.weight.detach().clone())
    before = {key: value.clone() for key, value in base.state_dict().items()}
    config = LoraConfig(task_type="CAUSAL_LM", **options)
    config.base_model_name_or_path = family
    model = get_peft_model(base, config)
    for key, parameter in model.named_parameters():
        if "lora_magnitude" in key:
            torch.nn.init.uniform_(parameter, 0.5, 2)
        elif "lora_" in key or "modules_to_save" in key or parameter.requires_grad:
            torch.nn.init.normal_(parameter, 0, 0.3)
    folder = ROOT / "adapt/peft/golden" / case
    model.save_pretrained(folder, save_embedding_layers=False)
    (folder / "README.md").unlink()
    written = json.loads((folder / "adapter_config.json").read_text())
    written["base_model_name_or_path"] = family
    written["target_modules"].sort()
    (folder / "adapter_config.json").write_text(json.dumps(written, indent=2, sort_keys=True) + "\n")
    tied = AutoModelForCausalLM.from_pretrained(ROOT / "model/golden" / family).float()
    ids = torch.arange(2, 20).view(1, -1)
    expected = PeftModel.from_pretrained(tied, folder).eval()(ids).logits
    merged_model = model.merge_and_unload().eval()
    torch.testing.assert_close(merged_model(ids).logits, expected, rtol=1e-4, atol=1e-4)
    merged = merged_model.state_dict()
    changed = {key: value.contiguous() for key, value in merged.items() if not torch.equal(value, before[key])}
    save_file(changed, folder / "merged.safetensors")
