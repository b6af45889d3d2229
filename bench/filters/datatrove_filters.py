"""The peer: datatrove's filter chain on one core.

    python datatrove_filters.py prepare HELP PAGES.jsonl     text of English help pages of 1,500 to 2,500 characters, one a line
    python datatrove_filters.py PAGES.jsonl                  the second half of the pages is timed; prints JSON
"""
import json
import pathlib
import resource
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "tools/golden"))


def prepare(help_root, output):
    from filters import page_text

    paths = sorted(pathlib.Path(help_root).glob("usr/share/libreoffice/help/en-US/text/**/*.html"))
    texts = (page_text(path) for path in paths)
    with open(output, "w") as file:
        for number, text in enumerate(text for text in texts if 1500 <= len(text) <= 2500):
            file.write(json.dumps({"id": str(number), "text": text}, ensure_ascii=False) + "\n")


def run(path):
    from datatrove.data import Document
    from datatrove.pipeline.filters import FineWebQualityFilter, GopherQualityFilter, GopherRepetitionFilter

    documents = [Document(**json.loads(line)) for line in open(path)]
    chain = [
        GopherRepetitionFilter(dup_para_frac=0, dup_line_char_frac=0, dup_para_char_frac=0),
        FineWebQualityFilter(short_line_thr=999, char_duplicates_ratio=0.1),
        GopherQualityFilter(),
    ]
    keeps = lambda document: all(rule.filter(document) is True for rule in chain)
    half = len(documents) // 2
    kept_first = [document.id for document in documents[:half] if keeps(document)]
    start, cpu_start = time.perf_counter(), time.process_time()
    kept_second = [document.id for document in documents[half:] if keeps(document)]
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
    kept = kept_first + kept_second
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"documents": len(documents) - half, "seconds": seconds, "cpuSeconds": cpu_seconds, "kept": kept, "peakMegabytes": peak}))


prepare(*sys.argv[2:]) if sys.argv[1] == "prepare" else run(sys.argv[1])
