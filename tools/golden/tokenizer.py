"""Writes packages/perennial/src/tokenizer/golden/*.json: tiny tokenizers of every kind, trained by Hugging Face tokenizers,
and the ids and decoded texts that it gives for hard texts.
Run: python tools/golden/tokenizer.py CORPUS.txt…   (any UTF-8 text in several languages; the LibreOffice help was used)"""

import json
import pathlib
import sys

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

OUT = pathlib.Path(__file__).parents[2] / "packages/perennial/src/tokenizer/golden"

CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
LLAMA3 = CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
REST = r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
PRE = r"[^\r\n\p{L}\p{N}]?"
O200K = f"{PRE}{UPPER}*{LOWER}+{CONTRACTIONS}?|{PRE}{UPPER}+{LOWER}*{CONTRACTIONS}?|" + r"\p{N}{1,3}" + REST
TEKKEN = f"{PRE}{UPPER}*{LOWER}+|{PRE}{UPPER}+{LOWER}*|" + r"\p{N}" + REST
DEEPSEEK = [r"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+",
            r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"]
BLOOM = r" ?[^(\s|[.,!?…。，、।۔،])]+"

TEXTS = [
    "", " ", "  ", "\n", "\r\n", "\t", "a", "Hello, world!", " Hello  world ", "I'm you're he'd WE'LL they'Ve 'S it'ſ x'K ''s 'tis",
    "The year 2024, 3.14159, 1234567890 and ٣٤٥ ௧௨௩ ⅷ ½ ² ①②", "foo_bar-baz.qux@example.com http://x.y/z?a=b&c=%20#f", "camelCaseHTMLParser XMLHttpRequest ABCdef ǅungla",
    "    indented\n\tcode: if (x == 1) {\r\n        return;\r\n    }\n\n\n", "trailing spaces   \n   leading", "a\u00a0b\u2003c\u3000d\u200be\u2028f\u2029g\x85h\x0bi\x0cj",
    "naïve café résumé Ångström İstanbul ẞtraße ﬁne ﬀ", "nai\u0308ve cafe\u0301 A\u030angstrom e\u0301\u0323 \u0301start q\u0307\u0323 \u0344",
    "Привет, как дела? Ёжик ѣ", "Γειά σου Κόσμε ΣΊΣΥΦΟΣ", "שלום עולם שָׁלוֹם", "مرحبا بالعالم ١٢٣ السَّلَامُ", "नमस्ते दुनिया क्षत्रिय कि॑", "สวัสดีชาวโลก น้ำ", "ສະບາຍດີ", "မင်္ဂလာပါ", "வணக்கம் உலகம்", "నమస్కారం ప్రపంచం",
    "你好，世界！中文字符测试。", "こんにちは世界。カタカナ ひらがな ｶﾀｶﾅ ー々", "안녕하세요 세계 각 각", "ᄒᆞᆫ글", "𠀀𠮷𪚥 㐀㿿", "ʻŌlelo Hawaiʻi ꙮ ⱥ", "ᏣᎳᎩ ᏆᎠ", "ⴰⵣⵓⵍ ⵎⴰⴷⵍ Taqbaylit ɣef ɛ ţ",
    "😀😃 👨‍👩‍👧‍👦 🏳️‍🌈 👍🏽 🇩🇪🇫🇷 ❤️ ©️ 1️⃣ 🫠", "zero\u200dwidth\u200cjoiners\ufeffbom \u202eRTL\u202c", "nul\x00in\x00side \x01\x02\x7f", "\ufffd\ufffe\uffff \ue000 \U0010ffff \U000e0041",
    "a" * 300, "ab" * 200 + " " + "xyz" * 100, " " * 100, "\n" * 50, " \n" * 30 + "x", "=" * 77 + "\n" + "-" * 80, "1" * 100,
    "<s> [INST] hi [/INST] </s><pad><unk>", "<|endoftext|>text<|endoftext|><|im_start|>user\n", "  <mask>  masked <mask>", "keyword keywords xkeyword keyword.", "LOWER lower Lower", "héllo HÉLLO",
    "▁already ▁▁marked▁", "ĠalreadyĠmapped Ċ", "<0x41><0xE4>", "##ing ing", "“quotes” ‘single’ «guillemets» – — … ・、。", "x²+y³=z¹ ½¼¾ ₂ Ⅻ", "ﷺ ㍿ ㋿ Ａｂｃ１２３ ｶﾞ ㎏ ℃", "é́ ̧c", "Zürich — Größe: 5′ 3″ ≠ ∞ ∑∫√ ←→ ♠♥",
    "mixed 中文English混合テキスト123한국어text", "Line one\nLine two\r\nLine three\rLine four\n\n\nEnd", "\t\t\ttabs\t \t mixed \t", "a.b,c;d:e!f?g(h)i[j]k{l}m<n>o/p\\q|r~s`t@u#v$w%x^y&z*", "O'Neill's rock 'n' roll don't can't won't",
    "\u0e33\u0e33 a\u0e33 \r\n\u0301 \u0600a", "\u1100\u1161\u11a8 \uac00\u11a8 \uac01", "ᾳ ᾼ ΐ ΐ Ω Å", "한글".encode("utf8").decode("utf8"), "The\u2019s it\u2019ll", "/usr/local/bin/python3.11 --version\n// comment /* c */\r\n",
]


def byte_level_bpe(corpus, pre, vocab=500, regex=None, normalizer=None, post=None, **model):
    tokenizer = Tokenizer(models.BPE(**model))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre
    tokenizer.decoder = decoders.ByteLevel()
    special = [AddedToken("<|endoftext|>", special=True), AddedToken("<|im_start|>", special=True)]
    tokenizer.train_from_iterator(corpus, trainers.BpeTrainer(vocab_size=vocab, special_tokens=special, show_progress=False,
                                                              initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.post_processor = post
    return tokenizer


def split(pattern, behavior="isolated", invert=False):
    return pre_tokenizers.Split(Regex(pattern), behavior, invert)


def bytes_after(*steps):
    return pre_tokenizers.Sequence([*steps, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def sentencepiece_bpe(corpus, fallback=True, fuse=True, gemma=False):
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=fallback, fuse_unk=fuse))
    tokenizer.normalizer = normalizers.Replace(" ", "▁") if gemma else normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    # Trained on words, used without a pre-tokenizer, as the converted SentencePiece models are.
    tokenizer.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    special = ["<unk>", "<s>", "</s>"] + ([f"<0x{b:02X}>" for b in range(256)] if fallback else [])
    tokenizer.train_from_iterator(corpus, trainers.BpeTrainer(vocab_size=len(special) + 450, special_tokens=special, limit_alphabet=120, show_progress=False))
    data = json.loads(tokenizer.to_str())
    data["pre_tokenizer"] = {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False} if gemma else None
    data["added_tokens"] = [t for t in data["added_tokens"] if not t["content"].startswith("<0x")]
    data["decoder"] = {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}]
                       + ([] if gemma else [{"type": "Strip", "content": " ", "start": 1, "stop": 0}])}
    data["post_processor"] = {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
                              "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
                              "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}}
    return Tokenizer.from_str(json.dumps(data))


def unigram(corpus, normalizer, pre, post=True, byte_fallback=False):
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre
    corpus = [line for line in corpus if max(line) < "\u0600"]  # every character becomes a token
    special = ["<pad>", "</s>", "<unk>"] + ([f"<0x{b:02X}>" for b in range(256)] if byte_fallback else [])
    tokenizer.train_from_iterator(corpus, trainers.UnigramTrainer(vocab_size=len(special) + 500, special_tokens=special, unk_token="<unk>", show_progress=False))
    data = json.loads(tokenizer.to_str())
    data["model"]["byte_fallback"] = byte_fallback
    data["added_tokens"] = [t for t in data["added_tokens"] if not t["content"].startswith("<0x")]
    tokenizer = Tokenizer.from_str(json.dumps(data))
    tokenizer.decoder = decoders.Metaspace()
    if post:
        tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)])
    tokenizer.add_tokens([AddedToken("<mask>", lstrip=True, normalized=False), AddedToken("keyword", single_word=True), AddedToken("[INST]", rstrip=True)])
    return tokenizer


def charsmap(pairs):
    """A compiled character map (SentencePiece): a double-array trie, little-endian, size first, then the replacements."""
    trie, replacements = {}, bytearray()
    for key, value in sorted(pairs.items()):
        node = trie
        for byte in key.encode():
            node = node.setdefault(byte, {})
        node[None] = len(replacements)
        replacements += value.encode() + b"\0"
    units, used = {0: 0}, {0}

    def place(node, position):
        labels = sorted(0 if k is None else k for k in node)
        base = 1
        while any((base ^ label) in used for label in labels) or (position ^ base) >= 1 << 21:
            base += 1
        used.update(base ^ label for label in labels)
        units[position] |= (position ^ base) << 10 | (1 << 8 if None in node else 0)
        for key, child in node.items():
            if key is None:
                units[base] = 1 << 31 | child
            else:
                units[base ^ key] = key
        for key, child in node.items():
            if key is not None:
                place(child, base ^ key)

    place(trie, 0)
    size = max(units) + 256
    array = b"".join(units.get(i, 0).to_bytes(4, "little") for i in range(size))
    return len(array).to_bytes(4, "little") + array + bytes(replacements)


def wordpiece(corpus):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator(corpus, trainers.WordPieceTrainer(vocab_size=600, limit_alphabet=250, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]"], show_progress=False))
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer


def wordlevel(corpus):
    tokenizer = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase(), normalizers.Strip()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Whitespace(), pre_tokenizers.Digits(individual_digits=True)])
    tokenizer.train_from_iterator(corpus, trainers.WordLevelTrainer(vocab_size=400, special_tokens=["[UNK]"], show_progress=False))
    return tokenizer


def clip(corpus):
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        split(r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+", "removed", True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.train_from_iterator(corpus, trainers.BpeTrainer(vocab_size=900, special_tokens=["<unk>"], end_of_word_suffix="</w>", show_progress=False))
    tokenizer.decoder = decoders.BPEDecoder()
    return tokenizer


def main():
    corpus = [line for path in sys.argv[1:] for line in pathlib.Path(path).read_text("utf8")[:60_000].splitlines() if line]
    P = pre_tokenizers
    charmap = charsmap({"ａ": "a", "Ａ": "A", "１": "1", "ﬁ": "fi", "㍿": "株式会社", "½": "1/2", "e\u0301": "é", "é": "é", "\u00a0": " ", "\u3000": " ", "\t": " ", "\n": " ", "\u200b": "", "ｶ\uff9e": "ガ", "ｶ": "カ"})
    made = {
        "gpt2": byte_level_bpe(corpus, P.ByteLevel(add_prefix_space=False)),
        "roberta": byte_level_bpe(corpus, P.ByteLevel(add_prefix_space=True), post=processors.RobertaProcessing(("<|im_start|>", 1), ("<|endoftext|>", 0))),
        "llama3": byte_level_bpe(corpus, bytes_after(split(LLAMA3)), ignore_merges=True),
        "qwen2": byte_level_bpe(corpus, bytes_after(split(QWEN2)), normalizer=normalizers.NFC()),
        "o200k": byte_level_bpe(corpus, bytes_after(split(O200K, "removed", True))),
        "tekken": byte_level_bpe(corpus, bytes_after(split(TEKKEN))),
        "deepseek": byte_level_bpe(corpus, bytes_after(*[split(p) for p in DEEPSEEK])),
        "bloom": byte_level_bpe(corpus, bytes_after(split(BLOOM))),
        "smollm": byte_level_bpe(corpus, P.Sequence([P.Digits(True), P.ByteLevel(add_prefix_space=False)])),
        "falcon": byte_level_bpe(corpus, P.Sequence([P.Punctuation("contiguous"), P.ByteLevel(add_prefix_space=False), P.Digits(), split("[0-9][0-9][0-9]")])),
        "llama2": sentencepiece_bpe(corpus), "gemma": sentencepiece_bpe(corpus, gemma=True), "no-fallback": sentencepiece_bpe(corpus, fallback=False), "no-fuse": sentencepiece_bpe(corpus, fallback=False, fuse=False),
        "t5": unigram(corpus, normalizers.Precompiled(charmap), P.Sequence([P.WhitespaceSplit(), P.Metaspace()])),
        "xlmr": unigram(corpus, normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]), P.Metaspace(prepend_scheme="first")),
        "unigram-bytes": unigram(corpus, normalizers.Strip(), P.Metaspace(prepend_scheme="never", split=False), byte_fallback=True),
        "bert": wordpiece(corpus), "wordlevel": wordlevel(corpus), "clip": clip(corpus),
    }
    made["falcon"].add_tokens([AddedToken("<mask>", lstrip=True, rstrip=True), "LOWER"])
    OUT.mkdir(exist_ok=True)
    for name, tokenizer in made.items():
        plain = [tokenizer.encode(text, add_special_tokens=False).ids for text in TEXTS]
        cases = {"tokenizer": json.loads(tokenizer.to_str()), "ids": plain, "around": [i for i in tokenizer.encode("a", add_special_tokens=True).ids],
                 "decoded": [tokenizer.decode(ids, skip_special_tokens=False) for ids in plain]}
        (OUT / f"{name}.json").write_text(json.dumps(cases, ensure_ascii=False, separators=(",", ":")) + "\n", "utf8")
    training = [t for t in corpus if len(t) > 200][::9][:60]
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = bytes_after(split(LLAMA3))
    trained.train_from_iterator(training, trainers.BpeTrainer(vocab_size=900, special_tokens=["<|endoftext|>"], show_progress=False,
                                                              initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    (OUT / "training").mkdir(exist_ok=True)
    (OUT / "training/merges.json").write_text(json.dumps({"texts": training, "vocabSize": 900, "merges": json.loads(trained.to_str())["model"]["merges"]},
                                                         ensure_ascii=False, separators=(",", ":")) + "\n", "utf8")
    (OUT / "texts.json").write_text(json.dumps(TEXTS, separators=(",", ":")) + "\n", "utf8")


if __name__ == "__main__":
    main()
