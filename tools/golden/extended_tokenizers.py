"""Writes packages/perennial/src/tokenizer/golden/extended/ids.json: the ids that Hugging Face tokenizers gives for the extended
tokenizers that FOLDER holds, and checks that transformers' AutoTokenizer loads them and gives the same.
Run: npx tsx --conditions source tools/golden/extended-tokenizers.ts FOLDER && python tools/golden/extended_tokenizers.py FOLDER"""

import json
import pathlib
import sys

from tokenizers import Tokenizer
from transformers import AutoTokenizer

OUT = pathlib.Path(__file__).parents[2] / "packages/perennial/src/tokenizer/golden/extended"


def main():
    folder = pathlib.Path(sys.argv[1])
    texts = json.loads((folder / "texts.json").read_text("utf8"))
    golden = {}
    for path in sorted(folder.glob("*/tokenizer.json")):
        tokenizer = Tokenizer.from_file(str(path))
        ids = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
        auto = AutoTokenizer.from_pretrained(path.parent)
        assert [auto.encode(text, add_special_tokens=False) for text in texts] == ids, path
        extension = json.loads((path.parent / "vocabulary_extension.json").read_text("utf8"))
        assert len(auto) == extension["new_vocab_size"], path
        golden[path.parent.name] = ids
    OUT.mkdir(exist_ok=True)
    (OUT / "ids.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n", "utf8")


if __name__ == "__main__":
    main()
