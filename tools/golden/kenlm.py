"""Writes packages/perennial/src/mixture/selection/golden/kenlm.json: the log10 probability that KenLM 0.3.0 (its `lmplz`: interpolated
modified Kneser–Ney, nothing pruned) gives to each of 25 documents, by models of 3 and 5 words of 400 others. Words are those of the model
here: runs of letters, digits and marks, or single other characters. KenLM predicts the end of a text, so the test writes that as a word.
Run: python tools/golden/kenlm.py FOLDER    FOLDER: where `lmplz` and `query` were built (cmake and boost; kenlm's source is on PyPI)"""

import gzip
import json
import pathlib
import subprocess
import sys
import tempfile

import regex

ROOT = pathlib.Path(__file__).parents[2]
OUT = ROOT / "packages/perennial/src/mixture/selection/golden/kenlm.json"
WORD = regex.compile(r"[\p{L}\p{N}\p{M}]+|[^\s]")


def main():
    bin_folder = pathlib.Path(sys.argv[1])
    lines = gzip.open(ROOT / "examples/quickstart/english.jsonl.gz", "rt", encoding="utf8").read().splitlines()
    texts = [" ".join(WORD.findall(json.loads(line)["text"])) for line in lines]
    training, scored = texts[:400], texts[400:425]
    golden = {}
    for order in (3, 5):
        with tempfile.NamedTemporaryFile(suffix=".arpa") as arpa:
            arpa.write(subprocess.run([bin_folder / "lmplz", "-o", str(order)], input="".join(f"{text}\n" for text in training).encode(), capture_output=True, check=True).stdout)
            arpa.flush()
            answer = subprocess.run([bin_folder / "query", "-v", "sentence", arpa.name], input="".join(f"{text}\n" for text in scored).encode(), capture_output=True, check=True)
        golden[order] = [float(line.split()[1]) for line in answer.stdout.decode().splitlines() if line.startswith("Total:")]
        assert len(golden[order]) == len(scored)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(golden) + "\n", "utf8")


if __name__ == "__main__":
    main()
