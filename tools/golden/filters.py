"""Golden values of the corpus filters, from datatrove 0.10 (Apache-2.0) with spaCy for words.

    apt-get download libreoffice-help-{en-us,fr,ru,...} && dpkg -x each into HELP/<code>     (codes: PAGES below)
    python tools/golden/filters.py HELP [SCORER]

writes, under packages/perennial/src/corpus/filter/golden:
    pages.json     real help pages in eleven languages, and damaged variants of some; text made by `page_text` below
    ../../score/golden/scores.json  if SCORER is a checkout of pablop16n/web-docs-scorer at 37a3f34: its scores of the pages (its pickled curves of
                   expected compression are not loaded; the sampled ones below stand in for them)
    filters.json   for each page: the reference's statistics and decisions when words are what stands between white space
                   (exact parity is expected), and its decisions with its own tokenizers where these install without extras
"""
import hashlib
import json
import pathlib
import random
import re
import sys
from html.parser import HTMLParser

import datatrove.utils.word_tokenizers as word_tokenizers
from datatrove.data import Document
from datatrove.pipeline.filters import C4ParagraphFilter, C4QualityFilter, FineWebQualityFilter, GopherQualityFilter, GopherRepetitionFilter, URLFilter
from datatrove.pipeline.filters.gopher_repetition_filter import find_all_duplicate, find_duplicates, find_top_duplicate, get_n_grams
from datatrove.pipeline.formatters import PIIFormatter, SymbolLinesFormatter
from datatrove.utils.text import PUNCTUATION_SET, TERMINAL_PUNCTUATION, split_into_parts

PAGES = {
    "eng_Latn": "en-us", "fra_Latn": "fr", "deu_Latn": "de", "rus_Cyrl": "ru", "tur_Latn": "tr", "vie_Latn": "vi",
    "ell_Grek": "el", "hin_Deva": "hi", "cmn_Hani": "zh-cn", "jpn_Jpan": "ja", "khm_Khmr": "km",
}
PAGES_PER_LANGUAGE = 7
WITH_SPACY = ("eng_Latn", "fra_Latn", "deu_Latn", "rus_Cyrl", "tur_Latn", "ell_Grek")
STOP_WORDS = ["the", "be", "to", "of", "and", "that", "have", "with", "de", "la", "et", "der", "und", "die", "в", "и", "на", "bir", "ve", "một", "và", "το", "και", "में", "है"]
OUT = pathlib.Path(__file__).parents[2] / "packages/perennial/src/corpus/filter/golden"


class PageText(HTMLParser):
    """Text of #DisplayArea; a block element ends a line."""

    BLOCKS = {"p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "li", "tr", "td", "th", "br", "table", "ul", "ol", "section", "pre"}

    def __init__(self):
        super().__init__()
        self.parts, self.inside, self.skip = [], False, 0

    def handle_starttag(self, tag, attributes):
        self.inside = self.inside or dict(attributes).get("id") == "DisplayArea"
        self.skip += tag in ("script", "style")
        if tag in self.BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag):
        self.skip -= tag in ("script", "style")
        if tag in self.BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data):
        if self.inside and not self.skip:
            self.parts.append(data.replace("\n", " "))


def page_text(path):
    parser = PageText()
    parser.feed(path.read_text(errors="replace"))
    lines = (re.sub(r"[ \t]+", " ", line).strip() for line in "".join(parser.parts).split("\n"))
    return "\n".join(line for line in lines if line)


def choose(root):
    pages = []
    for label, code in PAGES.items():
        folder = next((root / code / "usr/share/libreoffice/help").glob("*-*/text"), None) or next((root / code / "usr/share/libreoffice/help").glob(f"{code[:2]}*/text"))
        paths = sorted(folder.rglob("*.html"))
        random.Random(7).shuffle(paths)
        least, most = (300, 900) if label in ("cmn_Hani", "jpn_Jpan") else (700, 1900)
        texts = (page_text(path) for path in paths)
        chosen = [text for text in texts if least <= len(text) <= most][:PAGES_PER_LANGUAGE]
        pages += [{"language": label, "variant": "as it is", "text": text} for text in chosen]
    return pages


def damaged(page):
    """Variants that meet every rule at least once."""
    text, lines = page["text"], page["text"].split("\n")
    variants = {
        "one line repeated": text + "\n" + "\n".join([lines[-1]] * 12),
        "paragraphs repeated": "\n\n".join(lines + lines[:6] + lines[:3]),
        "runs of newlines": "\n\n" + text.replace("\n", "\n\n\n") + "\n \n",
        "bullets": "\n".join(f"  - {line}" for line in lines),
        "round bullets": "\n".join(f"\u2022 {line}" for line in lines),
        "ellipses at line ends": "\n".join(f"{line}... " for line in lines),
        "many ellipses": text.replace(" ", "… ", len(text) // 12),
        "hashes": text.replace(" ", " # "),
        "numbers": re.sub(r"\b\w{1,4}\b", "12", text),
        "two words a line": "\n".join(" ".join(text.split()[i : i + 2]) for i in range(0, len(text.split()), 2)),
        "long words": text.replace(" ", ""),
        "initials": " ".join(word[0] for word in text.split()),
        "one phrase repeated": text + " word after word" * 30,
        "carriage returns": text.replace("\n", "\r\n") + "\u2028-\u0085- x\x0b- y\x1c",
        "citations and policy": text + "\nWe use cookies and javascript.\nThis was seen in [12] Paris[edit] [citation needed].\nSee the privacy policy here.\n\"Why?\" he said\nI do.",
        "lorem ipsum": text + "\nLorem Ipsum dolor sit amet.",
        "curly": text + "\nAn opening brace { ends this.",
        "astral letters and emoji": text + "\n𝒜 𝒷 𐐷𐐲 😀😀 𑑋 done.𑑋\n😀",
        "only newlines": "\n \n\n",
        "one word": "word",
        "punctuation only": "... !!! --- ??? …",
    }
    return [{"language": page["language"], "variant": variant, "text": text} for variant, text in variants.items()]


class Whitespace:
    """Words between white space, sentences between runs of . ? !: simple enough to be the same everywhere."""

    def word_tokenize(self, text):
        return text.split()

    def span_tokenize(self, text):
        return [match.span() for match in re.finditer(r"[^.?!]*[.?!]+|[^.?!]+$", text)]


def share(part, whole):
    return part / whole if whole else 0


def statistics(text):
    words, length = text.split(), len(text)
    core = [word for word in words if any(c not in PUNCTUATION_SET for c in word)]
    broken, filled, runs, paragraphs = text.splitlines(), [line for line in text.split("\n") if line.strip()], re.split("\n+", text), re.split("\n{2,}", text.strip())
    values = {
        "characters": length,
        "words": len(words),
        "coreWords": len(core),
        "meanWordLength": share(sum(map(len, core)), len(core)),
        "hashesPerWord": share(text.count("#"), len(words)),
        "ellipsesPerWord": share(text.count("...") + text.count("…"), len(words)),
        "bulletLineShare": share(sum(line.lstrip().startswith(("•", "-")) for line in broken), len(broken)),
        "ellipsisLineShare": share(sum(line.rstrip().endswith(("...", "…")) for line in broken), len(broken)),
        "alphabeticWordShare": share(sum(any(c.isalpha() for c in word) for word in words), len(words)),
        "stopWords": len(set(STOP_WORDS) & set(words)),
        "duplicateParagraphShare": share(find_duplicates(paragraphs)[0], len(paragraphs)),
        "duplicateParagraphCharacterShare": share(find_duplicates(paragraphs)[1], length),
        "duplicateLineShare": share(find_duplicates(runs)[0], len(runs)),
        "duplicateLineCharacterShare": share(find_duplicates(runs)[1], length),
        "filledLines": len(filled),
        "terminalLineShare": share(sum(line.endswith(tuple(TERMINAL_PUNCTUATION)) for line in filled), len(filled)),
        "shortLineShare": share(sum(len(line) <= 30 for line in filled), len(filled)),
        "duplicateFilledLineCharacterShare": share(find_duplicates(filled)[1], len(text.replace("\n", ""))),
        "newlinesPerWord": share(text.count("\n"), len(words)),
    }
    for n in (2, 3, 4):
        values[f"top{n}GramCharacterShare"] = share(find_top_duplicate(get_n_grams(words, n)) if len(words) >= n else 0, length)
    for n in range(5, 11):
        values[f"duplicate{n}GramCharacterShare"] = share(find_all_duplicate(words, n), length)
    return {name: round(value, 12) for name, value in values.items()}


def decisions(text, language):
    filters = {
        "gopherRepetition": GopherRepetitionFilter(language=language),
        "finewebQuality": FineWebQualityFilter(language=language),
        "gopherQuality": GopherQualityFilter(language=language, stop_words=STOP_WORDS),
        "gopherRepetitionFineweb2": GopherRepetitionFilter(language=language, dup_para_frac=0, dup_line_char_frac=0, dup_para_char_frac=0, dup_line_frac=0.264),
        "finewebQualityFineweb2": FineWebQualityFilter(language=language, short_line_thr=999, char_duplicates_ratio=0.1, line_punct_thr=0.1, new_line_ratio=0.185),
        "c4Quality": C4QualityFilter(language=language),
        "c4QualityFineweb": C4QualityFilter(language=language, filter_no_terminal_punct=False),
        "c4Paragraph": C4ParagraphFilter(),
    }
    made = {}
    for name, rule in filters.items():
        document = Document(text=text, id="0")
        try:
            result = rule.filter(document)
        except (ZeroDivisionError, ValueError) as error:
            result = (False, f"error: {type(error).__name__}")
        made[name] = None if result is True else result[1]
        if name.startswith("c4Quality") and result is True:
            made[f"{name}Text"] = hashlib.sha256(document.text.encode()).hexdigest()[:16]
    return made


def formatted(text):
    return {"pii": PIIFormatter().format(text), "symbolLines": SymbolLinesFormatter(symbols_to_remove=["|"], replace_char="\n").format(text)}


URL_LISTS = {
    "domains": ["bad.co.uk", "sub.good.org", "Case.com"],
    "urls": ["https://good.org/exact?x=1"],
    "bannedWords": ["casino", "x-rated"],
    "softBannedWords": ["adult", "video", "free"],
    "bannedSubstrings": ["bannedinside", "Big-Word"],
}
URLS = [
    "https://www.bad.co.uk/a", "https://bad.co.uk.example.org/", "http://sub.good.org/page", "http://deep.sub.good.org/", "https://good.org/exact?x=1", "https://good.org/exact?x=2",
    "https://good.org/online-casino.html", "https://good.org/CASINO", "https://good.org/casinos", "https://xrated.org/", "https://good.org/adult/video", "https://good.org/adult-adult", "https://good.org/Adult-video",
    "https://good.org/banned-in_side/", "https://good.org/big/word", "https://www.case.com/", "http://1.2.3.4/free/adult/", "https://good.org/",
]


def url_decision(url):
    lists = {"extra_domains": "domains", "extra_urls": "urls", "banned_words": "bannedWords", "soft_banned_words": "softBannedWords", "banned_subwords": "bannedSubstrings"}
    result = URLFilter(use_integrated_lists=False, **{name: URL_LISTS[key] for name, key in lists.items()}).filter(Document(text="", id="0", metadata={"url": url}))
    return None if result is True else result[1]


FORMATTED = [
    "Mail a.b+c@example.co.uk, then jo@site.org and x_y@[1.2.3.4]; not @handle or a@b.",
    "Hosts 8.8.8.8, 192.168.1.1, 10.0.0.1, 1.1.1.1:80, 256.1.1.1, 1.2.3.4.5, 127.0.0.1, 100.64.0.1, 169.254.1.1, 224.0.0.1, 198.51.100.7, 192.0.0.9, 192.88.99.1, 255.255.255.255, 0.1.2.3",
    "01.02.03.04 and 9.9.9.9 9.9.9.10 9.9.9.11 9.9.9.12 9.9.9.13 9.9.9.14 9.9.9.15 one each",
    "| \n||\n a | b\n|||\n\n |\nend\r\n|\u2028x",
]


CURVES = {
    "a": "500:39.4 1000:46.0 2000:52.5 3000:55.6 5000:58.8 7500:60.7 10000:61.9 15000:63.6 20000:64.5 30000:65.5 50000:66.9 75000:67.7 100000:69.0 150000:71.3 180000:72.8",
    "b": "500:59.1 1000:61.3 2000:65.6 3000:68.6 5000:71.4 7500:73.0 10000:73.9 15000:75.1 20000:75.8 30000:76.6 50000:77.5 75000:78.1 100000:78.4 150000:78.9 250000:79.8",
    "c": "1000:52.5 2000:58.8 3000:61.6 5000:64.3 7500:65.8 10000:66.6 15000:68.0 20000:69.2 30000:70.3 50000:71.0 100000:71.5 180000:72.1",
    "d": "1000:28.8 2000:36.2 3000:39.1 5000:43.2 7500:45.4 10000:47.2 15000:49.0 20000:49.8 30000:51.0 50000:53.7 75000:57.3",
}
SCORED = {"eng_Latn": "eng_Latn", "fra_Latn": "fra_Latn", "deu_Latn": "deu_Latn", "rus_Cyrl": "rus_Cyrl", "hin_Deva": "hin_Deva", "jpn_Jpan": "jpn_Jpan", "cmn_Hani": "zho_Hans"}


def scores(pages, checkout):
    import joblib
    import numpy

    def curve(path):
        points = [tuple(map(float, point.split(":"))) for point in CURVES[path[-5]].split()]
        return lambda size: numpy.interp(size, *zip(*points))

    joblib.load = curve
    sys.path.insert(0, str(pathlib.Path(checkout) / "src/docscorer"))
    from docscorer import DocumentScorer

    scorer = DocumentScorer()
    made = []
    for i, page in enumerate(pages):
        label = SCORED.get(page["language"])
        if label and page["text"]:
            text = page["text"] + ("\nhttp://www.example.org/ http://a.b http://c.d www.e.f" if i % 3 == 0 else "")
            labels = ["xxx_Latn" if n % 7 == 6 else label for n in range(len(text.split("\n")))]
            made.append({"page": i, "label": label, "urls": i % 3 == 0, "scores": scorer.score_text(label, labels, False, text, label[4:], str(i), False)})
    return made


def main(root, scorer=None):
    pages = choose(pathlib.Path(root))
    pages += [variant for page in (pages[0], pages[PAGES_PER_LANGUAGE]) for variant in damaged(page)]
    real = word_tokenizers.load_word_tokenizer
    golden = []
    for page in pages:
        word_tokenizers.load_word_tokenizer = lambda language: Whitespace()
        split_into_parts.cache_clear()
        entry = {"statistics": statistics(page["text"]), "whitespace": decisions(page["text"], page["language"])}
        word_tokenizers.load_word_tokenizer = real
        split_into_parts.cache_clear()
        if page["language"] in WITH_SPACY:
            entry["spacy"] = decisions(page["text"], page["language"])
        golden.append(entry)
    OUT.mkdir(parents=True, exist_ok=True)
    write("pages.json", pages)
    if scorer:
        write("../../score/golden/scores.json", scores(pages, scorer))
    write("filters.json", golden)
    write("urls.json", [URL_LISTS, *({"url": url, "dropped": url_decision(url)} for url in URLS)])
    write("formatters.json", [{"text": text, **formatted(text)} for text in FORMATTED])


def write(name, entries):
    (OUT / name).write_text("[\n" + ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in entries) + "\n]\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
