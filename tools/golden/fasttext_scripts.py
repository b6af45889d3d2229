"""A small model whose labels are like GlotLID's and OpenLID's (`__label__eng_Latn`), plain and quantized, with the original's answers.

Trained on help pages and compiler messages of the repository. Setting up the `fasttext` command: see fasttext.py. Run from the repository root;
writes packages/perennial/src/corpus/language/golden/scripts.{bin,ftz,json}.
"""

import gzip
import json
import random
import subprocess
import tempfile
from pathlib import Path

FOLDER = Path("packages/perennial/src/corpus/language/golden")
MESSAGES = Path("node_modules/typescript/lib")
HELP = {"eng_Latn": "english", "eus_Latn": "basque"}
COMPILER = {"fra_Latn": "fr", "rus_Cyrl": "ru", "jpn_Jpan": "ja"}


def lines_of(label):
    if label in HELP:
        with gzip.open(f"examples/quickstart/{HELP[label]}.jsonl.gz", "rt", encoding="utf-8") as file:
            return [line for record in file for line in json.loads(record)["text"].split("\n") if len(line) > 60][:1500]
    messages = json.loads((MESSAGES / COMPILER[label] / "diagnosticMessages.generated.json").read_text(encoding="utf-8"))
    return [line.replace("\n", " ") for line in messages.values() if len(line) > 40][:1000]


def main():
    texts = {label: lines_of(label) for label in [*HELP, *COMPILER]}
    lines = [f"__label__{label} {line}" for label, all_lines in texts.items() for line in all_lines[20:]]
    random.Random(1).shuffle(lines)
    shown = [line for all_lines in texts.values() for line in all_lines[:20:4]]
    golden = {"texts": shown, "answers": {}}
    with tempfile.TemporaryDirectory() as folder:
        train = Path(folder) / "train.txt"
        train.write_text("\n".join(lines) + "\n", encoding="utf-8")
        output = str(Path(folder) / "scripts")
        options = "-dim 4 -minn 2 -maxn 4 -bucket 2000 -minCount 400 -epoch 5 -lr 0.5 -thread 1 -verbose 0".split()
        subprocess.run(["fasttext", "supervised", "-input", str(train), "-output", output, *options], check=True)
        subprocess.run(["fasttext", "quantize", "-input", str(train), "-output", output, "-qnorm", "-cutoff", "1000", "-dsub", "2", "-verbose", "0"], check=True)
        for ending in ["bin", "ftz"]:
            path = FOLDER / f"scripts.{ending}"
            path.write_bytes(Path(f"{output}.{ending}").read_bytes())
            done = subprocess.run(["fasttext", "predict-prob", str(path), "-", "3"], input="\n".join(shown) + "\n", capture_output=True, text=True, check=True)
            rows = [line.split() for line in done.stdout.splitlines()]
            golden["answers"][ending] = [[[label.removeprefix("__label__"), float(score)] for label, score in zip(row[::2], row[1::2])] for row in rows]
    (FOLDER / "scripts.json").write_text(json.dumps(golden, ensure_ascii=True) + "\n")


if __name__ == "__main__":
    main()
