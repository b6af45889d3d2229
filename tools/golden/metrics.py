"""Golden values of evaluation metrics, from the reference implementations themselves.

    python tools/golden/metrics.py        needs sacrebleu 2.6, numpy, scipy, jiwer

Writes evaluate/{translation,significance,speech,answer}/golden/*.json under packages/perennial/src.
"""

import collections
import json
import pathlib
import random
import re
import string

import jiwer
import numpy as np
import sacrebleu
import scipy.special
import scipy.stats
from sacrebleu.metrics import BLEU, CHRF
from sacrebleu.significance import PairedTest

ROOT = pathlib.Path(__file__).resolve().parents[2] / "packages/perennial/src/evaluate"

# Article 1 and 2 of the Universal Declaration of Human Rights, shortened; public domain.
TEXTS = {
    "en": [
        "All human beings are born free and equal in dignity and rights.",
        "They are endowed with reason and conscience and should act towards one another in a spirit of brotherhood.",
        "Everyone is entitled to all the rights and freedoms set forth in this Declaration, without distinction of any kind.",
        "No distinction shall be made on the basis of the political, jurisdictional or international status of the country.",
        "It's 3.14 (approx.) & 1,000-2,000 units... in the U.S.A., isn't it?",
    ],
    "de": [
        "Alle Menschen sind frei und gleich an Würde und Rechten geboren.",
        "Sie sind mit Vernunft und Gewissen begabt und sollen einander im Geist der Brüderlichkeit begegnen.",
        "Des Weiteren darf kein Unterschied gemacht werden: z. B. 1.000,50 € oder 5 %!",
        "„Straße“, sagte er – und groß war die STRASSE.",
    ],
    "fr": [
        "Tous les êtres humains naissent libres et égaux en dignité et en droits.",
        "Ils sont doués de raison et de conscience et doivent agir les uns envers les autres dans un esprit de fraternité.",
        "«\u00a0Où est-il\u202f?\u00a0» demanda-t-elle, l'air étonné : 5\u202f€, c'est tout\u00a0!",
    ],
    "ru": [
        "Все люди рождаются свободными и равными в своем достоинстве и правах.",
        "Они наделены разумом и совестью и должны поступать в отношении друг друга в духе братства.",
        "Кроме того, не должно проводиться никакого различия на основе политического статуса страны.",
    ],
    "zh": [
        "人人生而自由,在尊严和权利上一律平等。",
        "他们赋有理性和良心,并应以兄弟关系的精神相对待。",
        "人人有资格享有本宣言所载的一切权利和自由，不分种族、肤色、性别（2024年版本 3.5）。",
        "𠀀𠀁是罕用字，☺与①也要分开 ABC-123。",
    ],
    "ja": [
        "すべての人間は、生れながらにして自由であり、かつ、尊厳と権利とについて平等である。",
        "人間は、理性と良心とを授けられており、互いに同胞の精神をもって行動しなければならない。",
    ],
    "ar": [
        "يولد جميع الناس أحرارًا متساوين في الكرامة والحقوق.",
        "وقد وهبوا عقلاً وضميرًا وعليهم أن يعامل بعضهم بعضًا بروح الإخاء، أليس كذلك؟",
    ],
    "hi": [
        "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है ।",
        "उन्हें बुद्धि और अन्तरात्मा की देन प्राप्त है और परस्पर उन्हें भाईचारे के भाव से बर्ताव करना चाहिए ।",
    ],
    "tr": [
        "Bütün insanlar hür, haysiyet ve haklar bakımından eşit doğarlar.",
        "Akıl ve vicdana sahiptirler ve birbirlerine karşı kardeşlik zihniyeti ile hareket etmelidirler; İSTANBUL'da 15'i.",
    ],
    "el": [
        "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα.",
        "Είναι προικισμένοι με λογική και συνείδηση· ΟΦΕΙΛΟΥΝ ΝΑ ΣΥΜΠΕΡΙΦΕΡΟΝΤΑΙ ΑΔΕΛΦΙΚΑ.",
    ],
    "am": ["የሰው ልጅ ሁሉ ሲወለድ ነጻና በክብርና በመብትም እኩልነት ያለው ነው።", "የተፈጥሮ ማስተዋልና ሕሊና ስላለው አንዱ ሌላውን በወንድማማችነት መንፈስ መመልከት ይገባዋል።"],
    "kab": ["Imdanen, akken ma llan ttlalen d ilelliyen msawan di lḥweṛma d yizerfan-nsen.", "Ɣur-sen tamsakwit d lâquel u yessefk ad-tili tegmatt gar-asen."],
    "odd": [
        "AT&amp;T &quot;says&quot; &lt;b&gt; &amp;lt; <skipped> well-\nknown \nline\u0085x\u001cy\ufeffz",
        " leading and trailing\u3000 ",
        "😀😃 emoji🙂, flags 🇩🇪🇫🇷 and e\u0301 ﬁ ½ x² №5 10\u00bd.",
        "1990. 2,5 -3 a-4 5-b ... ---",
        "x",
        "a b",
    ],
}


def damaged(text: str, rng: random.Random) -> str:
    """A worse translation: drops, repeats, swaps and misspells tokens (characters where there are no spaces)."""
    spaced = text.count(" ") > 3
    items = text.split(" ") if spaced else list(text)
    out = []
    for item in items:
        roll = rng.random()
        if roll < 0.08:
            continue
        out.append(item[::-1] if roll < 0.12 else item)
        if 0.12 <= roll < 0.16:
            out.append(item)
    if len(out) > 3 and rng.random() < 0.7:
        i = rng.randrange(len(out) - 1)
        out[i], out[i + 1] = out[i + 1], out[i]
    return (" " if spaced else "").join(out)


def write(path: str, value: object) -> None:
    target = ROOT / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n")
    print(target.relative_to(ROOT), target.stat().st_size, "bytes")


def streams(references: list[list[str]]) -> list[list[str | None]]:
    """References per segment -> sacreBLEU's reference streams, absent ones None."""
    width = max(map(len, references))
    return [[refs[k] if k < len(refs) else None for refs in references] for k in range(width)]


def translation() -> None:
    rng = random.Random(7)
    corpora = {}
    for language, texts in TEXTS.items():
        corpora[language] = {"hypotheses": [damaged(t, rng) for t in texts], "references": [[t] for t in texts]}
    everything = [t for texts in TEXTS.values() for t in texts]
    corpora["all, two references"] = {
        "hypotheses": [damaged(t, rng) for t in everything],
        "references": [[damaged(t, rng), damaged(t, rng)] for t in everything],
    }
    corpora["varying references"] = {
        "hypotheses": [damaged(t, rng) for t in everything[:20]],
        "references": [[damaged(t, rng) for _ in range(1 + i % 3)] for i, t in enumerate(everything[:20])],
    }
    corpora["empty"] = {"hypotheses": ["", "a", "same", ""], "references": [["a b"], [""], ["same"], [""]]}

    def bleu_case(corpus: str, **options) -> dict:
        data, metric = corpora[corpus], BLEU(**options)
        result = metric.corpus_score(data["hypotheses"], streams(data["references"]))
        value = {
            "score": result.score, "precisions": result.precisions, "brevityPenalty": result.bp,
            "hypothesisLength": result.sys_len, "referenceLength": result.ref_len,
        }
        signature = metric.get_signature().format()
        return {"corpus": corpus, "options": options, "value": value, "signature": signature, "line": result.format(signature=signature)}

    def chrf_case(corpus: str, **options) -> dict:
        data, metric = corpora[corpus], CHRF(**options)
        result = metric.corpus_score(data["hypotheses"], streams(data["references"]))
        return {"corpus": corpus, "options": options, "value": {"score": result.score}, "signature": metric.get_signature().format(), "name": result.name}

    bleus = [bleu_case(corpus, tokenize=tok) for corpus in corpora for tok in ("13a", "intl", "char", "zh", "none")]
    mixed = "all, two references"
    for corpus in (mixed, "varying references", "odd", "el", "tr"):
        bleus.append(bleu_case(corpus, lowercase=True))
        bleus.append(bleu_case(corpus, tokenize="char", lowercase=True, max_ngram_order=6))
        for smoothing in ("exp", "none", "floor", "add-k"):
            bleus.append(bleu_case(corpus, smooth_method=smoothing, effective_order=True, max_ngram_order=5))
        bleus.append(bleu_case(corpus, smooth_method="add-k", smooth_value=0.25, max_ngram_order=2))
    chrfs = [chrf_case(corpus, word_order=order) for corpus in corpora for order in (0, 2)]
    for corpus in (mixed, "varying references", "odd", "el", "tr", "empty"):
        chrfs += [
            chrf_case(corpus, lowercase=True), chrf_case(corpus, whitespace=True), chrf_case(corpus, eps_smoothing=True, word_order=2),
            chrf_case(corpus, beta=3, char_order=4, word_order=1),
        ]
    write("translation/golden/sacrebleu.json", {"version": sacrebleu.__version__, "corpora": corpora, "bleu": bleus, "chrf": chrfs})


def significance() -> None:
    rng = random.Random(11)
    everything = [t for texts in TEXTS.values() for t in texts if "\n" not in t]
    references = everything * 3
    systems = {}
    for name, quality in (("base", 1), ("close", 1), ("worse", 2), ("third", 1)):
        outputs = []
        for text in references:
            for _ in range(quality):
                text = damaged(text, rng)
            outputs.append(text)
        systems[name] = outputs
    metrics = {"BLEU": BLEU(), "chrF2++": CHRF(word_order=2)}
    tests = []
    for kind, samples in (("bs", 1000), ("bs", 200), ("ar", 1000)):
        signatures, scores = PairedTest(list(systems.items()), {n: m for n, m in metrics.items()}, [references], test_type=kind, n_samples=samples)()
        for metric in scores:
            if metric == "System":
                continue
            rows = [{"system": s, "score": float(r.score), "pValue": r.p_value and float(r.p_value), "mean": r.mean and float(r.mean), "halfWidth": r.ci and float(r.ci)} for s, r in zip(scores["System"], scores[metric])]
            tests.append({"test": kind, "samples": samples, "metric": metric, "signature": signatures[metric].format(), "rows": rows})
    draws = {}
    for seed in (0, 12345, 2**40 + 7):
        generator = np.random.default_rng(seed)
        draws[str(seed)] = {
            "choice10": generator.choice(10, size=(2, 10)).ravel().tolist(), "bits": generator.integers(0, 2, size=70, dtype=bool).astype(int).tolist(),
            "choice1000": generator.choice(1000, size=7).tolist(), "choice3e9": generator.choice(3_000_000_000, size=7).tolist(),
            "doubles": generator.random(3).tolist(),
        }
    mcnemar = []
    for b, c in ((10, 2), (0, 0), (0, 5), (7, 7), (30, 12), (700, 640), (3000, 3200)):
        n, m = b + c, min(b, c)
        exact = scipy.stats.binomtest(m, n, 0.5).pvalue if n else 1.0
        mid = exact - scipy.stats.binom.pmf(m, n, 0.5) if n else 1.0
        chi2 = [0.0, 0.0] if n == 0 else [(abs(b - c) - 1) ** 2 / n, (b - c) ** 2 / n]
        mcnemar.append({"b": b, "c": c, "exact": exact, "midP": mid, "chi2": chi2, "chi2P": [float(scipy.stats.chi2.sf(x, 1)) for x in chi2]})
    erfc = [[x, float(scipy.special.erfc(x))] for x in (0, 1e-9, 0.1, 0.5, 1, 1.99, 2, 2.01, 3, 5, 10, 20, -1, -3)]
    write("significance/golden/significance.json", {"references": references, "systems": systems, "tests": tests, "draws": draws, "mcnemar": mcnemar, "erfc": erfc})


def speech() -> None:
    rng = random.Random(3)
    cases = []
    for references in ([" the  cat sat on the mat", "hello world "], ["one\ttab  and\u00a0a  space", "b\u00a0 \u00a0c"], *[[*texts[:3]] for texts in TEXTS.values()]):
        hypotheses = [damaged(r, rng) for r in references]
        cases.append({"references": references, "hypotheses": hypotheses, "wer": jiwer.wer(references, hypotheses), "cer": jiwer.cer(references, hypotheses)})
    write("speech/golden/jiwer.json", cases)


def answers() -> None:
    """SQuAD's official scoring (version 1.1)."""

    def normalize(text: str) -> str:
        text = "".join(ch for ch in text.lower() if ch not in set(string.punctuation))
        return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())

    def f1(prediction: str, truth: str) -> float:
        predicted, expected = normalize(prediction).split(), normalize(truth).split()
        common = sum((collections.Counter(predicted) & collections.Counter(expected)).values())
        if common == 0:
            return 0.0
        precision, recall = common / len(predicted), common / len(expected)
        return 2 * precision * recall / (precision + recall)

    pairs = [
        ["The cat, sat!", "a cat sat"], ["an apple a day", "apple day day"], ["", ""], ["the", "a"], ["U.S.A.", "usa"],
        ["ein Äpfel", "Äpfel an"], ["theatre the", "theatre"], ["naïve thé an é", "thé naïve"], ["1,000 km", "1000 km away"], ["éa b", "é b"],
    ]
    write("answer/golden/squad.json", [{"prediction": p, "reference": r, "exactMatch": int(normalize(p) == normalize(r)), "f1": f1(p, r)} for p, r in pairs])


if __name__ == "__main__":
    translation()
    significance()
    speech()
    answers()
