"""datatrove over a folder of WARC files, one process, the steps in FineWeb2's order; prints times as JSON.

Run: python bench/pipeline/peer.py CRAWL MODEL    MODEL: a fastText language identification model
"""

import gzip
import json
import resource
import sys
import tempfile
import time
from pathlib import Path

import datatrove.utils.lid
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupFilter, MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import MinhashConfig
from datatrove.pipeline.extractors import Trafilatura
from datatrove.pipeline.filters import FineWebQualityFilter, GopherQualityFilter, GopherRepetitionFilter, LanguageFilter
from datatrove.pipeline.readers import JsonlReader, WarcReader
from datatrove.pipeline.writers import JsonlWriter


def used():
    """Processor seconds, those of the extractor's own processes included."""
    return sum(u.ru_utime + u.ru_stime for u in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


def main(crawl, model):
    with tempfile.TemporaryDirectory() as folder:
        config = MinhashConfig()
        language = LanguageFilter(label_only=True)
        # The model that both use, in place of one that would be fetched.
        datatrove.utils.lid.cached_asset_path_or_download = lambda *_, **__: model
        # Loads the word tokenizer before the clock starts.
        MinhashDedupSignature(f"{folder}/warm", config=config).get_shingles("one text to begin with")
        started, started_cpu = time.perf_counter(), used()

        def run(name, steps, tasks=1):
            LocalPipelineExecutor(pipeline=steps, tasks=tasks, workers=1, logging_dir=f"{folder}/logs/{name}").run()

        run("read", [WarcReader(crawl), Trafilatura(favour_precision=True), language, JsonlWriter(f"{folder}/read")])
        run("signatures", [JsonlReader(f"{folder}/read"), MinhashDedupSignature(f"{folder}/signatures", config=config)])
        run("buckets", [MinhashDedupBuckets(f"{folder}/signatures", f"{folder}/buckets", config=config)], config.num_buckets)
        run("clusters", [MinhashDedupCluster(f"{folder}/buckets", f"{folder}/clusters", config=config)])
        run(
            "filter",
            [
                JsonlReader(f"{folder}/read"),
                MinhashDedupFilter(f"{folder}/clusters"),
                GopherRepetitionFilter(),
                FineWebQualityFilter(),
                GopherQualityFilter(),
                JsonlWriter(f"{folder}/out"),
            ],
        )
        seconds, cpu = time.perf_counter() - started, used() - started_cpu
        documents = sum(1 for path in Path(f"{folder}/out").glob("*.gz") for _ in gzip.open(path))
    print(
        json.dumps(
            {
                "seconds": seconds,
                "cpuSeconds": cpu,
                "peakMegabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "documents": documents,
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
