"""Writes packages/perennial/src/adapt/embeddings/golden/extended.safetensors: for each family the ids that the extended tokenizer
gives in `tokenizers`, and the logits [T,V] of the extended model there. Every row and weight must be the model's own: none
missing, none initialized by transformers.
Run: npx tsx --conditions source tools/golden/extended-models.ts FOLDER && python tools/golden/extended_models.py FOLDER"""

import json
import pathlib
import sys

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

OUT = pathlib.Path(__file__).parents[2] / "packages/perennial/src/adapt/embeddings/golden"


def main():
    folder = pathlib.Path(sys.argv[1])
    text = json.loads((folder / "text.json").read_text("utf8"))
    golden = {}
    for path in sorted(path for path in folder.iterdir() if path.is_dir()):
        # AutoTokenizer puts the splitting of a model type in place of the one that the file has: these are characters for all.
        tokenizer = Tokenizer.from_file(str(path / "tokenizer.json"))
        model, report = AutoModelForCausalLM.from_pretrained(path, output_loading_info=True)
        assert not any(report[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys")), (path, report)
        extension = json.loads((path / "vocabulary_extension.json").read_text("utf8"))
        assert tokenizer.get_vocab_size() == model.config.vocab_size == model.get_output_embeddings().weight.shape[0] == extension["new_vocab_size"], path
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        assert tokenizer.decode(ids) == text, path
        assert any(i >= extension["old_vocab_size"] for i in ids), path
        with torch.no_grad():
            golden[f"{path.name}.logits"] = model.eval().float()(torch.tensor([ids])).logits[0].contiguous()
        golden[f"{path.name}.ids"] = torch.tensor(ids)
    OUT.mkdir(exist_ok=True)
    save_file(golden, str(OUT / "extended.safetensors"))


if __name__ == "__main__":
    main()
