"""Writes packages/perennial/src/tokenizer/golden/families/*.json: tiny tokenizers in the shape of the tokenizer.json of each model
family (normalizers, pre-tokenizers, post-processors, decoders, added tokens, and the fields that older files lack), with the ids and
decoded texts that Hugging Face tokenizers gives.
Run: python tools/golden/tokenizer_families.py"""

import gzip
import json
import pathlib

from tokenizers import AddedToken, Regex, Tokenizer, normalizers, pre_tokenizers

from tokenizer import BLOOM, LLAMA3, QWEN2, TEKKEN, TEXTS, byte_level_bpe, bytes_after, charsmap, sentencepiece_bpe, split, unigram

ROOT = pathlib.Path(__file__).parents[2]
OUT = ROOT / "packages/perennial/src/tokenizer/golden/families"

# Added tokens in every neighborhood: blanks before and behind, inside of words, next to each other, other cases and forms.
ADDED = [
    "<bos>a<eos>", " <s> a </s> b<s>c", "x  <|user|>  y\n<|end|> \n z", "<|im_start|>user\nkaixo<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n",
    "<start_of_turn>user\nZer da?<end_of_turn>\n<start_of_turn>model\n", "[INST] kaixo [/INST] bai</s>[INST]", "[BOS][BOS]  [EOS]", "<unk><pad>",
    "\n\n\n\na\n\nb", "▁▁▁a▁▁b  c   d    e", "<table><td>1</td></table>", "if x:\n        y\n                z\t\t\tw", "    " * 7 + "deep",
    "keyword keywords xkeyword keyword. KEYWORD ké́yword", "  <mask>  a<mask>b <mask>", "cafe\u0301<e\u0301> <é> x<é>y", "<É>", "<|END|> <|End|>", "<s", "<s>>", "<<s>", "a<s>b</s>",
]


def added(content, **flags):
    return AddedToken(content, **{"normalized": False, **flags})


def changed(tokenizer, **parts):
    """The same tokenizer with parts of its tokenizer.json replaced; None removes a field of the model."""
    data = json.loads(tokenizer.to_str())
    for name, value in parts.items():
        if name == "model":
            data["model"].update({k: v for k, v in value.items() if v is not None})
            for field in [k for k, v in value.items() if v is None]:
                data["model"].pop(field, None)
        else:
            data[name] = value
    return Tokenizer.from_str(json.dumps(data)), data


def template(before, after, ids):
    def part(token):
        return {"SpecialToken": {"id": token, "type_id": 0}}

    sequence = {"Sequence": {"id": "A", "type_id": 0}}
    return {"type": "TemplateProcessing", "single": [*map(part, before), sequence, *map(part, after)], "pair": [sequence, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {t: {"id": t, "ids": [i], "tokens": [t]} for t, i in ids.items()}}


BYTES = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True}
METASPACE = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": False}


def text_merges(tokenizer):
    return [" ".join(pair) for pair in json.loads(tokenizer.to_str())["model"]["merges"]]


def main():
    corpus = [text for text in TEXTS if text]
    for language in ("english", "basque"):
        lines = gzip.open(ROOT / f"examples/quickstart/{language}.jsonl.gz", "rt", encoding="utf8").read().splitlines()[:25]
        corpus += [line for text in lines for line in json.loads(text)["text"].splitlines() if line]
    P = pre_tokenizers
    made = {}

    # GPT-2: empty texts where newer files have null, merges as text.
    gpt2 = byte_level_bpe(corpus, P.ByteLevel(add_prefix_space=False))
    made["gpt2"] = changed(gpt2, post_processor=BYTES, model={"unk_token": "", "continuing_subword_prefix": "", "end_of_word_suffix": "", "merges": text_merges(gpt2),
                                                              "byte_fallback": None, "ignore_merges": None, "dropout": None})
    # GPT-NeoX, Pythia, OLMo 1: NFC, runs of blanks as added tokens.
    neox = byte_level_bpe(corpus, P.ByteLevel(add_prefix_space=False), normalizer=normalizers.NFC())
    neox.add_tokens([AddedToken(" " * n, normalized=n % 2 == 0) for n in range(24, 1, -1)])
    neox.add_tokens([AddedToken("<e\u0301>", normalized=True), AddedToken("keyword", single_word=True, normalized=True)])
    made["gpt-neox"] = changed(neox, post_processor={**BYTES, "add_prefix_space": False, "trim_offsets": True})
    # OLMo 2 and 3: cl100k's pattern.
    made["olmo2"] = changed(byte_level_bpe(corpus, bytes_after(split(LLAMA3))), post_processor=None)
    # Llama 3: ByteLevel and a template, one after the other.
    llama3 = byte_level_bpe(corpus, bytes_after(split(LLAMA3)), ignore_merges=True)
    made["llama3"] = changed(llama3, post_processor={"type": "Sequence", "processors": [{**BYTES, "use_regex": True}, template(["<|endoftext|>"], [], {"<|endoftext|>": 0})]})
    # Qwen 2, 2.5 and 3: NFC; tokens of tools and thoughts are added but not special.
    qwen3 = byte_level_bpe(corpus, bytes_after(split(QWEN2)), normalizer=normalizers.NFC())
    qwen3.add_special_tokens([added("<|im_end|>")])
    qwen3.add_tokens([added("<think>"), added("</think>"), added("<tool_call>")])
    made["qwen3"] = changed(qwen3, post_processor={"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False})
    # Mistral Nemo.
    made["mistral-nemo"] = changed(byte_level_bpe(corpus, bytes_after(split(TEKKEN)), ignore_merges=True), post_processor=template(["<|endoftext|>"], [], {"<|endoftext|>": 0}))
    # Bloom and Falcon.
    bloom = byte_level_bpe(corpus, P.Sequence([split(BLOOM), P.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=False)]))
    made["bloom"] = changed(bloom, post_processor={**BYTES, "trim_offsets": True, "use_regex": False})
    falcon = byte_level_bpe(corpus, P.Sequence([P.Punctuation("contiguous"), P.ByteLevel(add_prefix_space=False), P.Digits(), split("[0-9][0-9][0-9]")]))
    falcon.add_special_tokens([">>TITLE<<", ">>SUFFIX<<"])
    made["falcon"] = changed(falcon, post_processor=BYTES)

    # Llama 2, Mistral 1, TinyLlama: as first converted, special tokens are normalized.
    llama2 = sentencepiece_bpe(corpus)
    old = json.loads(llama2.to_str())["added_tokens"]
    made["llama2-first"] = changed(llama2, added_tokens=[{**token, "normalized": True} for token in old],
                                   model={"merges": text_merges(llama2), "ignore_merges": None})
    # Phi-3: added tokens take the blanks behind them.
    phi3 = sentencepiece_bpe(corpus)
    phi3.add_special_tokens([added("<|endoftext|>"), *[added(t, rstrip=True) for t in ("<|assistant|>", "<|user|>", "<|end|>", "<|system|>")]])
    phi3.add_tokens([added("<mask>", lstrip=True, rstrip=True), added("keyword", single_word=True)])
    made["phi3"] = changed(phi3, post_processor=template([], [], {}))
    # Llama 2 and Mistral 0.3, as converted today: Metaspace instead of normalizers.
    mistral = sentencepiece_bpe(corpus)
    mistral.add_special_tokens([added("[INST]"), added("[/INST]"), added("[BOS]", lstrip=True)])
    made["mistral3"] = changed(mistral, normalizer=None, pre_tokenizer=METASPACE)
    made["metaspace-always"] = changed(mistral, normalizer=None, pre_tokenizer={**METASPACE, "prepend_scheme": "always", "split": True})
    # Files from before prepend_scheme.
    made["metaspace-older"] = (Tokenizer.from_str(json.dumps(data := {**json.loads(mistral.to_str()), "normalizer": None, "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "add_prefix_space": True}})), data)
    # Yi: no blank before the text.
    made["yi"] = changed(sentencepiece_bpe(corpus), normalizer={"type": "Sequence", "normalizers": [{"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]}, post_processor=template([], [], {}))
    # Gemma 1, 2 and 3: runs of line ends, of blanks (as ▁) and tags are added tokens, not special.
    gemma = sentencepiece_bpe(corpus, gemma=True)
    gemma.add_special_tokens([added("<start_of_turn>"), added("<end_of_turn>"), added("<bos>"), added("<eos>")])
    gemma.add_tokens([*[added("\n" * n) for n in range(2, 6)], *[added("▁" * n) for n in range(2, 6)], added("<table>"), added("<td>"), added("</td>")])
    made["gemma3"] = changed(gemma)

    # T5, mT5, XLM-R, NLLB.
    smap = charsmap({"ａ": "a", "１": "1", "ﬁ": "fi", "½": "1/2", "e\u0301": "é", "\u00a0": " ", "\u3000": " ", "\t": " ", "\n": " ", "\u200b": ""})
    xlmr = unigram(corpus, normalizers.Sequence([normalizers.Precompiled(smap), normalizers.Replace(Regex(" {2,}"), " ")]), P.Sequence([P.WhitespaceSplit(), P.Metaspace(prepend_scheme="always")]))
    made["xlmr"] = changed(xlmr, post_processor=template(["<unk>"], ["</s>"], {"<unk>": 2, "</s>": 1}))
    made["unigram-roberta"] = changed(unigram(corpus, None, P.Metaspace(prepend_scheme="first", split=False), byte_fallback=True),
                                      post_processor={"type": "RobertaProcessing", "sep": ["</s>", 1], "cls": ["<pad>", 0], "trim_offsets": True, "add_prefix_space": True})

    texts = TEXTS + ADDED
    OUT.mkdir(exist_ok=True)
    for name, (tokenizer, data) in made.items():
        ids = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
        cases = {"tokenizer": data, "ids": ids, "whole": [tokenizer.encode(text).ids for text in ADDED],
                 "decoded": [tokenizer.decode(one, skip_special_tokens=False) for one in ids], "skipped": [tokenizer.decode(one) for one in ids]}
        (OUT / f"{name}.json").write_text(json.dumps(cases, ensure_ascii=False, separators=(",", ":")) + "\n", "utf8")
    (OUT / "texts.json").write_text(json.dumps({"all": texts, "added": ADDED}, separators=(",", ":")) + "\n", "utf8")


if __name__ == "__main__":
    main()
