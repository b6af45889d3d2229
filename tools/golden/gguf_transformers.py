"""What transformers makes of our GGUF files and of the folders that we import them to.

    python tools/golden/gguf_transformers.py FILE.gguf FOLDER      (torch 2.15, transformers 5, gguf 0.19)

FILE.gguf: read by transformers' own loader (from_pretrained(gguf_file=…)); FOLDER: what `perennial import FILE.gguf FOLDER` wrote. Prints
the largest difference of their logits, of greedy continuations and of the ids of hard texts. Nothing of it is committed: it is the check
that both say the same model.
"""
import json
import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

file, folder = Path(sys.argv[1]), Path(sys.argv[2])
theirs = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32).eval()
ours = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
weights = dict(theirs.named_parameters())
print("weights that differ:", sum(not torch.equal(weights[name], parameter) for name, parameter in ours.named_parameters()), "of", len(weights))
tokenizer = AutoTokenizer.from_pretrained(folder) if (folder / "tokenizer.json").exists() else None
ids = tokenizer("The capital of France is", return_tensors="pt").input_ids if tokenizer else torch.arange(5, 17)[None]
with torch.no_grad():
    a, b = theirs(ids).logits, ours(ids).logits
print("largest difference of logits:", (a - b).abs().max().item(), "of", a.abs().max().item())
greedy = [model.generate(ids, max_new_tokens=20, do_sample=False)[0].tolist() for model in (theirs, ours)]
print("greedy continuations equal:", greedy[0] == greedy[1])
if tokenizer:
    print(tokenizer.decode(greedy[1]))
    texts = json.loads((Path(__file__).parents[2] / "packages/perennial/src/tokenizer/golden/texts.json").read_text())
    own = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    print("texts with other ids:", sum(own.encode(text, add_special_tokens=False) != tokenizer.encode(text, add_special_tokens=False) for text in texts), "of", len(texts))
    print("chat template:", bool(tokenizer.chat_template), "bos", tokenizer.bos_token, "eos", tokenizer.eos_token)
