"""sacreBLEU's side: reads a task name a line, answers with seconds and the value as JSON. Usage: peer.py CORPUS.json"""

import json
import logging
import sys
import time

from sacrebleu.metrics import BLEU, CHRF
from sacrebleu.significance import PairedTest

logging.disable(logging.WARNING)
corpus = json.load(open(sys.argv[1]))
references, baseline, system = corpus["references"], corpus["baseline"], corpus["system"]


def paired() -> float:
    _, scores = PairedTest([("baseline", baseline), ("system", system)], {"BLEU": BLEU()}, [references], test_type="bs", n_samples=1000)()
    return float(scores["BLEU"][1].p_value)


tasks = {
    "bleu": lambda: BLEU().corpus_score(system, [references]).score,
    "chrf++": lambda: CHRF(word_order=2).corpus_score(system, [references]).score,
    "paired bootstrap": paired,
}
for line in sys.stdin:
    start = time.perf_counter()
    value = tasks[line.strip()]()
    print(json.dumps({"seconds": time.perf_counter() - start, "value": value}), flush=True)
