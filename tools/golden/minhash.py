"""Golden values of MinHash from datatrove 0.10: permutations, folded texts, signatures and clusters on a small fixture.

Words are split at white space on both sides, so that the comparison is of hashing and clustering, not of word tokenizers.
Run from the repository root; writes packages/perennial/src/corpus/deduplicate/golden/minhash.json.
"""

import json
import random
import tempfile
from pathlib import Path

import numpy as np
from datatrove.data import Document
from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupSignature
from datatrove.utils.text import simplify_text

TARGET = Path("packages/perennial/src/corpus/deduplicate/golden/minhash.json")


class Whitespace:
    def word_tokenize(self, text):
        return text.split()


def signature_step(folder, config):
    step = MinhashDedupSignature(folder, config=config)
    step.word_tokenizer = Whitespace()
    return step


TEXTS = [
    "The quick brown fox jumps over the lazy dog, and the dog does not mind.",
    "Ceci n'est pas une pipe: c'est l'été 2024, 3,14 ou 2.718 — ÇA VA?",
    "ΟΔΥΣΣΕΥΣ και ΣΟΦΙΑ, ΤΕΛΟΣ. Ἀρχὴ δέ τοι ἥμισυ παντός",
    "İstanbul'da ışık ve GÜNEŞ; Iğdır 12.5.7 kadar ١٢٫٥ ve ४२",
    "Tiếng Việt có dấu: Việt Nam đất nước mến yêu của chúng ta",
    "हिन्दी में लिखा हुआ एक छोटा वाक्य, जिसमें १२३ अंक हैं।",
    "한국어 문장도 하나 넣어 봅시다. 숫자 2024년 그리고 끝",
    "tabs\tand\nlines\r\nand\u00a0spaces\u2003of\u3000all kinds \u200bzero width",
    "too short here",
    "",
    "𝟜𝟚 𝐛𝐨𝐥𝐝 digits and 𐐀𐐁 deseret and 🎉 emoji in one line of text",
    "a\u0301 b\u0327 c \u0300 d e ≠ f ≮ g \u037e h",
]


def fixture(seed):
    """120 documents of 60 words in three shards: groups of near copies with 0 to 12 changed words."""
    rng = random.Random(seed)
    vocabulary = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(2, 9))) for _ in range(800)]
    documents = []
    while len(documents) < 120:
        base = rng.choices(vocabulary, k=60)
        for _ in range(rng.choice([1, 1, 1, 2, 3, 6])):
            words = list(base)
            for _ in range(rng.choice([0, 1, 2, 3, 5, 8, 12])):
                words[rng.randrange(60)] = rng.choice(vocabulary)
            documents.append(" ".join(words))
    rng.shuffle(documents)
    return [documents[i::3] for i in range(3)]


def clusters(shards, config):
    with tempfile.TemporaryDirectory() as folder:
        for rank, shard in enumerate(shards):
            signature_step(f"{folder}/signatures", config).run((Document(text=text, id=str(i)) for i, text in enumerate(shard)), rank)
        for rank in range(config.num_buckets):
            MinhashDedupBuckets(f"{folder}/signatures", f"{folder}/buckets", config=config).run(None, rank, config.num_buckets)
        MinhashDedupCluster(f"{folder}/buckets", f"{folder}/clusters", config=config, save_cluster_id=True).run(None, 0, 1)
        groups = {}
        for rank in range(len(shards)):
            path = Path(f"{folder}/clusters/{rank:06d}.clusters")
            pairs = np.fromfile(path, dtype=np.uint32).reshape(-1, 2) if path.exists() else []
            for document, cluster in pairs:
                groups.setdefault(int(cluster), []).append([rank, int(document)])
        return sorted(sorted(group) for group in groups.values())


def main():
    config = MinhashConfig()
    step = signature_step(tempfile.mkdtemp(), config)
    a, b = step.parameters
    signatures = []
    for text in TEXTS:
        shingles = step.get_shingles(text)
        signatures.append([str(value) for band in step.get_signature(shingles) for value in band] if shingles.size else None)
    shards = fixture(7)
    golden = {
        "multipliers": [str(value) for value in a[0]],
        "increments": [str(value) for value in b[0]],
        "texts": TEXTS,
        "folded": [" ".join(simplify_text(text).split()) for text in TEXTS],
        "signatures": signatures,
        "shards": shards,
        "clusters": clusters(shards, config),
    }
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(json.dumps(golden, ensure_ascii=True) + "\n")
    print(TARGET, TARGET.stat().st_size, "bytes;", len(golden["clusters"]), "clusters")


if __name__ == "__main__":
    main()
