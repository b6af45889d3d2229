"""datatrove's four MinHash stages on a JSONL file, one process; prints seconds, removed documents and peak memory as JSON.

Run: python bench/minhash/peer.py DOCUMENTS.jsonl spacy|spaces
"""

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

from datatrove.data import Document
from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupSignature


class Whitespace:
    def word_tokenize(self, text):
        return text.split()


def main(path, words):
    documents = [Document(text=json.loads(line)["text"], id=str(i)) for i, line in enumerate(open(path, encoding="utf-8"))]
    config = MinhashConfig()
    with tempfile.TemporaryDirectory() as folder:
        step = MinhashDedupSignature(f"{folder}/signatures", config=config)
        if words == "spaces":
            step.word_tokenizer = Whitespace()
        step.get_shingles("one text that loads the word tokenizer before the clock starts")
        started = time.perf_counter()
        for document in documents:
            shingles = step.get_shingles(document.text)
            if shingles.size:
                step.get_signature(shingles)
        signatures = time.perf_counter() - started
        started = time.perf_counter()
        step.run(iter(documents), 0)
        for rank in range(config.num_buckets):
            MinhashDedupBuckets(f"{folder}/signatures", f"{folder}/buckets", config=config).run(None, rank, config.num_buckets)
        MinhashDedupCluster(f"{folder}/buckets", f"{folder}/clusters", config=config).run(None, 0, 1)
        removed = Path(f"{folder}/clusters/000000.remove")
        count = removed.stat().st_size // 4 if removed.exists() else 0
        seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"signatures": signatures, "all": seconds, "removed": count, "peakMegabytes": peak}))


if __name__ == "__main__":
    main(*sys.argv[1:])
