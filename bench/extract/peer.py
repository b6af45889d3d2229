"""Trafilatura, precision mode, on pages from standard input (JSON, one page a line); prints seconds and texts as JSON.

Its own deduplication stays off: it remembers text over all pages of a process, which would cost it recall here.

Run by quality.ts.
"""

import json
import sys
import time

import trafilatura


def extract(html):
    return trafilatura.extract(html, favor_precision=True, include_comments=False) or ""


def main():
    pages = [json.loads(line) for line in sys.stdin]
    extract("<html><body><p>one page before the clock starts</p></body></html>")
    started = time.perf_counter()
    texts = [extract(html) for html in pages]
    print(json.dumps({"seconds": time.perf_counter() - started, "texts": texts}))


if __name__ == "__main__":
    main()
