"""Golden labels and scores of the original fastText: lid.176 on sentences of many languages, and small models of every kind.

The small models are trained here on made-up words, so that each loss, word n-grams, subwords, quantization and pruning is met.
The original is Debian's `fasttext` command: without root, `apt-get download fasttext libfasttext0`, `dpkg -x` both into a folder, and
`LD_LIBRARY_PATH=FOLDER/usr/lib/x86_64-linux-gnu PATH=FOLDER/usr/bin:$PATH`.
Run from the repository root after `npm install`; writes packages/perennial/src/corpus/language/golden/.
"""

import json
import random
import subprocess
import tempfile
from pathlib import Path

FOLDER = Path("packages/perennial/src/corpus/language/golden")
LID = "node_modules/fasttext.wasm.js/dist/models/language-identification/assets/lid.176.ftz"

SENTENCES = [
    "All human beings are born free and equal in dignity and rights.",
    "Tous les êtres humains naissent libres et égaux en dignité et en droits.",
    "Alle Menschen sind frei und gleich an Würde und Rechten geboren.",
    "Todos los seres humanos nacen libres e iguales en dignidad y derechos.",
    "Gizon-emakume guztiak aske jaiotzen dira, duintasun eta eskubide berberak dituztela.",
    "Imdanen, akken ma llan ttlalen d ilelliyen msawan di lḥweṛma d yizerfan.",
    "Tutti gli esseri umani nascono liberi ed eguali in dignità e diritti.",
    "Все люди рождаются свободными и равными в своем достоинстве и правах.",
    "Усі люди народжуються вільними і рівними у своїй гідності та правах.",
    "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα.",
    "人人生而自由，在尊严和权利上一律平等。",
    "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。",
    "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다.",
    "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है।",
    "يولد جميع الناس أحرارًا متساوين في الكرامة والحقوق.",
    "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ",
    "Tất cả mọi người sinh ra đều được tự do và bình đẳng về nhân phẩm và quyền lợi.",
    "Watu wote wamezaliwa huru, hadhi na haki zao ni sawa.",
    "Bütün insanlar hür, haysiyet ve haklar bakımından eşit doğarlar.",
    "Minden emberi lény szabadon születik és egyenlő méltósága és joga van.",
    "__label__en tokens that look like labels __label__xx are left out",
    "12345 67890 !!! ???",
    "a",
    "tabs\tand\rcarriage returns\x0band \x00 zero bytes",
    "😀 🎉 👍",
    "Mixed 混合 text с разными scripts και άλλα",
]


def answers(model, texts, k=5):
    lines = "".join(text + "\n" for text in texts)
    done = subprocess.run(["fasttext", "predict-prob", model, "-", str(k)], input=lines, capture_output=True, text=True, check=True)
    result = []
    for line in done.stdout.split("\n")[: len(texts)]:
        parts = line.split()
        result.append([[label.removeprefix("__label__"), float(score)] for label, score in zip(parts[::2], parts[1::2])])
    return result


def corpus(path):
    rng = random.Random(3)
    words = {label: ["".join(rng.choices(letters, k=rng.randint(2, 7))) for _ in range(60)] for label, letters in
             {"aa": "abcdé", "bb": "bcdef", "cc": "ghijж", "dd": "aghkl", "ee": "mnoпр"}.items()}
    lines = []
    for i in range(600):
        label = rng.choices(list(words), weights=[5, 4, 3, 2, 1])[0]
        lines.append(f"__label__{label} " + " ".join(rng.choices(words[label], k=rng.randint(1, 8))))
    path.write_text("\n".join(lines) + "\n")
    return [line.split(" ", 1)[1] for line in lines[:12]] + ["unknown words only", "abcd", "mno ghij пр bcd"]


KINDS = {
    "softmax-ngrams.bin": dict(loss="softmax", dim=4, minn=2, maxn=3, wordNgrams=2, bucket=500),
    "hs-subwords.bin": dict(loss="hs", dim=5, minn=1, maxn=4, wordNgrams=1, bucket=300),
    "ova-words.bin": dict(loss="ova", dim=3, minn=0, maxn=0, wordNgrams=1, bucket=0),
    "ns-words.bin": dict(loss="ns", dim=3, minn=0, maxn=0, wordNgrams=3, bucket=100),
    "softmax-quantized.ftz": dict(loss="softmax", dim=6, minn=2, maxn=3, wordNgrams=1, bucket=800),
}


def train(kind, options, text, folder):
    """Trains one small model and returns its file."""
    output = str(Path(folder) / Path(kind).stem)
    flags = [part for name, value in options.items() for part in (f"-{name}", str(value))]
    subprocess.run(["fasttext", "supervised", "-input", text, "-output", output, "-epoch", "20", "-lr", "0.2", "-thread", "1", "-verbose", "0", *flags], check=True)
    if kind.endswith(".ftz"):
        subprocess.run(["fasttext", "quantize", "-input", text, "-output", output, "-qnorm", "-cutoff", "400", "-dsub", "4", "-verbose", "0"], check=True)
    return output + Path(kind).suffix


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    golden = {"sentences": SENTENCES, "lid176": answers(LID, SENTENCES), "kinds": {}}
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "train.txt"
        golden["texts"] = corpus(text)
        for kind, options in KINDS.items():
            (FOLDER / kind).write_bytes(Path(train(kind, options, str(text), folder)).read_bytes())
            golden["kinds"][kind] = answers(str(FOLDER / kind), golden["texts"], k=3)
    (FOLDER / "fasttext.json").write_text(json.dumps(golden, ensure_ascii=True) + "\n")


if __name__ == "__main__":
    main()
