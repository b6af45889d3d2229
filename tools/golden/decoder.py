"""Tiny random checkpoints of the Llama family, with logits, loss and gradients as transformers computes them.

    python tools/golden/decoder.py      (torch 2.15, transformers 5)

Writes packages/perennial/src/model/golden/<name>/: the model folder and golden.safetensors.
With an argument it loads that folder with transformers instead and prints the sum of the logits of ids 0 … 15:
the way back, for folders that Perennial wrote.
"""
import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, LlamaConfig, MistralConfig, Qwen2Config

OUT = Path(__file__).parents[2] / "packages/perennial/src/model/golden"
SMALL = dict(vocab_size=97, hidden_size=32, intermediate_size=56, num_hidden_layers=2, num_attention_heads=4,
             max_position_embeddings=64, bos_token_id=1, eos_token_id=2, initializer_range=0.2)

CONFIGS = {
    "llama2": LlamaConfig(**SMALL, num_key_value_heads=4, rms_norm_eps=1e-5, tie_word_embeddings=False),
    "llama3": LlamaConfig(**SMALL, num_key_value_heads=2, rms_norm_eps=1e-5, tie_word_embeddings=True, rope_theta=500000.0,
                          rope_scaling={"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                                        "original_max_position_embeddings": 16}),
    "llama-linear": LlamaConfig(**SMALL, num_key_value_heads=2, attention_bias=True, mlp_bias=True, head_dim=16,
                                rope_scaling={"rope_type": "linear", "factor": 2.0}),
    "mistral": MistralConfig(**SMALL, num_key_value_heads=2, sliding_window=8, tie_word_embeddings=False),
    "qwen2": Qwen2Config(**SMALL, num_key_value_heads=2, tie_word_embeddings=True, rope_theta=1000000.0),
}


def make(name, config):
    torch.manual_seed(len(name))
    config.architectures = None
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").float().eval()
    for key, parameter in model.named_parameters():
        if parameter.dim() == 1:  # norms and biases start at constants; make them matter
            torch.nn.init.normal_(parameter, 1.0 if "norm" in key else 0.0, 0.2)
    folder = OUT / name
    model.save_pretrained(folder)
    ids = torch.randint(3, 97, (2, 24))
    output = model(input_ids=ids, labels=ids)
    output.loss.backward()
    golden = {"ids": ids, "logits": output.logits.detach(), "loss": output.loss.detach()}
    for key, parameter in model.named_parameters():
        golden["grad." + key] = parameter.grad
    greedy = model.generate(ids[:, :5], max_new_tokens=12, do_sample=False, eos_token_id=None, pad_token_id=0)
    golden["greedy"] = greedy[:, 5:]
    save_file({k: v.contiguous() for k, v in golden.items()}, folder / "golden.safetensors")


if len(sys.argv) > 1:
    model = AutoModelForCausalLM.from_pretrained(sys.argv[1]).float()
    print(json.dumps(model(input_ids=torch.arange(16)[None]).logits.double().sum().item()))
else:
    for name, config in CONFIGS.items():
        make(name, config)
