"""The peer: Hugging Face tokenizers. Called by bench.ts, prints one JSON line.
  peer.py encode TOKENIZER.json TEXTS.json…   seconds for encode_batch of each file of texts
  peer.py train VOCAB TEXTS.json OUT.json     seconds for training, and the tokenizer
  peer.py unigram VOCAB TEXTS.json OUT.json   the same for a Unigram vocabulary"""

import json
import sys
import time

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers


def load(path):
    with open(path, encoding="utf8") as file:
        return json.load(file)


def encode(tokenizer_path, *paths):
    tokenizer = Tokenizer.from_file(tokenizer_path)
    tokenizer.encode_batch(load(paths[0])[:50])
    result = {}
    for path in paths:
        texts = load(path)
        started = time.perf_counter()
        encodings = tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        seconds = time.perf_counter() - started
        total, checksum = 0, 0
        for encoding in encodings:
            for i in encoding.ids:
                checksum = (checksum * 31 + i) % 4294967296
            total += len(encoding.ids)
        result[path] = {"seconds": seconds, "tokens": total, "checksum": checksum}
    print(json.dumps(result))


def train(vocab, path, out):
    texts = load(path)
    tokenizer = Tokenizer(models.BPE())
    pattern = json.load(open(path + ".pattern"))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(pattern), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=int(vocab), special_tokens=["<|endoftext|>"], show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    started = time.perf_counter()
    tokenizer.train_from_iterator(texts, trainer, length=len(texts))
    print(json.dumps({"seconds": time.perf_counter() - started}))
    tokenizer.save(out)


def unigram(vocab, path, out):
    texts = load(path)
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(r"[\r\n]+"), "isolated"), pre_tokenizers.Metaspace(prepend_scheme="never")])
    special = ["<|endoftext|>", "<unk>", *(f"<0x{byte:02X}>" for byte in range(256))]
    trainer = trainers.UnigramTrainer(vocab_size=int(vocab), special_tokens=special, unk_token="<unk>", show_progress=False)
    started = time.perf_counter()
    tokenizer.train_from_iterator(texts, trainer, length=len(texts))
    print(json.dumps({"seconds": time.perf_counter() - started}))
    tokenizer.save(out)


{"encode": encode, "train": train, "unigram": unigram}[sys.argv[1]](*sys.argv[2:])
