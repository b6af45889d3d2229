"""Writes tools/unicode-reference.json: the character classes of the reference implementation (Hugging Face tokenizers),
found by asking it about every code point, so that ids agree even where its Unicode tables are older than Node's.
  categories   general category as its regular expressions see it: runs [first, category] over all code points
  punctuation  code points that its Punctuation pre-tokenizer splits off
  marks        code points that its StripAccents normalizer removes
  controls     code points that its BertNormalizer removes as control characters
  lacks        code points whose decomposition it does not know (NFKD leaves them as they are)
Run: python tools/golden/unicode_reference.py"""

import json
import pathlib
import subprocess

from tokenizers import Regex, normalizers, pre_tokenizers

CATEGORIES = "Cc Cf Co Ll Lm Lo Lt Lu Mc Me Mn Nd Nl No Pc Pd Pe Pf Pi Po Ps Sc Sk Sm So Zl Zp Zs".split()
SCALARS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]


def removed_by(splitter, prefix=""):
    found = set()
    for start in range(0, len(SCALARS), 1024):
        chunk = SCALARS[start : start + 1024]
        text = "".join(prefix + chr(c) for c in chunk)
        kept = set(map(ord, "".join(piece for piece, _ in splitter.pre_tokenize_str(text))))
        found |= {c for c in chunk if c not in kept}
    return found


def ranges(points):
    runs = []
    for c in sorted(points):
        if runs and runs[-1][1] == c - 1:
            runs[-1][1] = c
        else:
            runs.append([c, c])
    return runs


def emptied_by(normalizer):
    return {c for c in SCALARS if normalizer.normalize_str("a" + chr(c)) == "a"}


category = ["Cn"] * 0x110000
category[0xD800:0xE000] = ["Cs"] * 0x800
for name in CATEGORIES:
    for c in removed_by(pre_tokenizers.Split(Regex(r"\p{%s}" % name), "removed")):
        category[c] = name
runs = [[c, category[c]] for c in range(0x110000) if c == 0 or category[c] != category[c - 1]]

nfkd = normalizers.NFKD()
node = json.loads(subprocess.check_output(["node", "-e", """
const all = [];
for (let c = 0x80; c < 0x110000; c++) {
  if (c >= 0xd800 && c <= 0xdfff) continue;
  const s = String.fromCodePoint(c);
  if (s.normalize("NFKD") !== s) all.push(c);
}
console.log(JSON.stringify(all));"""]))
lacks = {c for c in node if nfkd.normalize_str(chr(c)) == chr(c)}

bert = normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=False, strip_accents=False, lowercase=False)
pathlib.Path(__file__).parents[1].joinpath("unicode-reference.json").write_text(json.dumps({
    "categories": runs,
    "punctuation": ranges(removed_by(pre_tokenizers.Punctuation("removed"), "a") - {ord("a")}),
    "marks": ranges(emptied_by(normalizers.StripAccents())),
    "controls": ranges(emptied_by(bert)),
    "lacks": ranges(lacks),
}, separators=(",", ":")) + "\n")
