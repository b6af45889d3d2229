"""Tiny random checkpoints of every family, with logits, loss, gradients and greedy text as transformers computes them.

    python tools/golden/decoder.py [NAME ...]      (torch 2.15, transformers 5; all names, or those given)

Writes packages/perennial/src/model/golden/<name>/: the model folder and golden.safetensors.
Given folders instead it loads each with transformers and prints the sum of the logits of ids 0 … 15 and their largest
difference from golden.safetensors' logits where the folder has one: the way back, for folders that Perennial wrote.
"""
import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from safetensors.torch import load_file
from transformers import (AutoConfig, AutoModelForCausalLM, BloomConfig, FalconConfig, Gemma2Config, Gemma3TextConfig, GPT2Config, GPTNeoXConfig,
                          LlamaConfig, MistralConfig, Olmo2Config, Olmo3Config, Phi3Config, Qwen2Config, Qwen3Config)

OUT = Path(__file__).parents[2] / "packages/perennial/src/model/golden"
SMALL = dict(vocab_size=97, hidden_size=32, intermediate_size=56, num_hidden_layers=2, num_attention_heads=4,
             max_position_embeddings=64, bos_token_id=1, eos_token_id=2, initializer_range=0.2)

TINY = dict(SMALL, vocab_size=61, intermediate_size=40)
GPT = dict(vocab_size=61, bos_token_id=1, eos_token_id=2, initializer_range=0.2)
FALCON = dict(GPT, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, ffn_hidden_size=40, max_position_embeddings=64)
LOCAL = dict(sliding_window=8, layer_types=["sliding_attention", "full_attention"])
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16, "rope_theta": 500000.0}

CONFIGS = {
    "llama2": LlamaConfig(**SMALL, num_key_value_heads=4, rms_norm_eps=1e-5, tie_word_embeddings=False),
    "llama3": LlamaConfig(**SMALL, num_key_value_heads=2, rms_norm_eps=1e-5, tie_word_embeddings=True, rope_theta=500000.0,
                          rope_scaling={"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                                        "original_max_position_embeddings": 16}),
    "llama-linear": LlamaConfig(**SMALL, num_key_value_heads=2, attention_bias=True, mlp_bias=True, head_dim=16,
                                rope_scaling={"rope_type": "linear", "factor": 2.0}),
    "yi": LlamaConfig(**TINY, num_key_value_heads=2, rms_norm_eps=1e-5, tie_word_embeddings=False, rope_theta=5000000.0, pad_token_id=0),
    "mistral": MistralConfig(**SMALL, num_key_value_heads=2, sliding_window=8, tie_word_embeddings=False),
    "qwen2": Qwen2Config(**SMALL, num_key_value_heads=2, tie_word_embeddings=True, rope_theta=1000000.0),
    "llama-dynamic": LlamaConfig(**dict(TINY, max_position_embeddings=16), num_key_value_heads=2,
                                 rope_scaling={"rope_type": "dynamic", "factor": 2.0}),
    "qwen2-yarn": Qwen2Config(**TINY, num_key_value_heads=2, use_sliding_window=True, sliding_window=8, max_window_layers=1,
                              rope_parameters=YARN),
    "qwen3": Qwen3Config(**TINY, num_key_value_heads=2, head_dim=16, tie_word_embeddings=True),
    "gemma2": Gemma2Config(**TINY, num_key_value_heads=2, head_dim=16, query_pre_attn_scalar=24, sliding_window=8,
                           attn_logit_softcapping=2.0, final_logit_softcapping=3.0),
    "gemma3": Gemma3TextConfig(**TINY, num_key_value_heads=2, head_dim=16, query_pre_attn_scalar=24, **LOCAL),
    "olmo2": Olmo2Config(**TINY, num_key_value_heads=2),
    "olmo3": Olmo3Config(**TINY, num_key_value_heads=2, **LOCAL, rope_parameters={
        "full_attention": YARN, "sliding_attention": {"rope_type": "default", "rope_theta": 500000.0}}),
    "phi3": Phi3Config(**TINY, num_key_value_heads=2, sliding_window=12, original_max_position_embeddings=16, pad_token_id=0,
                       rope_parameters={"rope_type": "longrope", "rope_theta": 10000.0, "partial_rotary_factor": 0.5,
                                        "short_factor": [1.0, 1.5], "long_factor": [2.0, 4.0]}),
    "gpt2": GPT2Config(**GPT, n_embd=32, n_layer=2, n_head=4, n_positions=64, n_inner=40),
    "pythia": GPTNeoXConfig(**TINY, rotary_pct=0.5),
    "neox-sequential": GPTNeoXConfig(**TINY, rotary_pct=0.25, use_parallel_residual=False, hidden_act="gelu_new"),
    "falcon": FalconConfig(**FALCON),
    "falcon-grouped": FalconConfig(**FALCON, new_decoder_architecture=True, num_kv_heads=2, bias=True),
    "falcon-alibi": FalconConfig(**FALCON, alibi=True, multi_query=False, parallel_attn=False, bias=True),
    "bloom": BloomConfig(**GPT, hidden_size=24, n_layer=2, n_head=6),
}


def attention(config):
    # Falcon's eager path adds the linear biases twice (once in the mask, once to the scores); the default path once.
    return "sdpa" if getattr(config, "alibi", False) else "eager"


def make(name, config):
    torch.manual_seed(len(name))
    config.architectures = None
    model = AutoModelForCausalLM.from_config(config, attn_implementation=attention(config)).float().eval()
    for key, parameter in model.named_parameters():
        if parameter.dim() == 1:  # norms and biases start at constants; make them matter
            neutral = 0.0 if key.endswith("bias") or "gemma" in name else 1.0 if "norm" in key or "ln_" in key else 0.0
            torch.nn.init.normal_(parameter, neutral, 0.2)
    folder = OUT / name
    model.save_pretrained(folder)
    ids = torch.randint(3, config.vocab_size, (2, 24))
    output = model(input_ids=ids, labels=ids)
    output.loss.backward()
    golden = {"ids": ids, "logits": output.logits.detach(), "loss": output.loss.detach()}
    for key, parameter in model.named_parameters():
        # GPT-NeoX' files keep the old name of the output layer.
        name_in_file = "embed_out.weight" if config.model_type == "gpt_neox" and key == "lm_head.weight" else key
        golden["grad." + name_in_file] = parameter.grad
    greedy = model.generate(ids[:, :5], max_new_tokens=30, do_sample=False, eos_token_id=None, pad_token_id=0)
    golden["greedy"] = greedy[:, 5:]
    save_file({k: v.contiguous() for k, v in golden.items()}, folder / "golden.safetensors")


def check(folder):
    config = AutoConfig.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, attn_implementation=attention(config)).float()
    report = {"folder": folder, "sum": model(input_ids=torch.arange(16)[None]).logits.double().sum().item()}
    reference = Path(folder) / "golden.safetensors"
    if reference.exists():
        golden = load_file(reference)
        report["largestDifference"] = (model(input_ids=golden["ids"]).logits - golden["logits"]).abs().max().item()
    print(json.dumps(report))


arguments = sys.argv[1:]
if any(name not in CONFIGS for name in arguments):
    for folder in arguments:
        check(folder)
else:
    for name in arguments or CONFIGS:
        make(name, CONFIGS[name])
