import { expect, test } from "vitest";
import { stream } from "../../stream.ts";
import { decodePage } from "./charset.ts";
import { type ExtractedText, extractSchema, extractText } from "./extract.ts";
import { pageTemplates, wrapArticle } from "./sample-pages.ts";

const extract = (html: string | Uint8Array, settings = {}) =>
  extractText(typeof html === "string" ? Buffer.from(html) : html, undefined, extractSchema.parse(settings));
const textOf = (html: string | Uint8Array) => (extract(html) as ExtractedText).text;

const ARTICLES: Record<string, { title: string; paragraphs: string[] }> = {
  en: {
    title: "How rivers find the sea",
    paragraphs: [
      "A river begins where water, on its way down, meets more water than the ground can hold, and it goes on from there to the sea.",
      "On the way it carries stones to sand and sand to mud, and where it slows down it lays them aside, first the heavy ones and then the light.",
    ],
  },
  fr: {
    title: "Comment les rivières trouvent la mer",
    paragraphs: [
      "Une rivière commence là où l’eau, en descendant, rencontre plus d’eau que le sol n’en peut retenir, et de là elle va jusqu’à la mer.",
      "En chemin elle fait des pierres du sable et du sable de la boue, et là où elle ralentit elle les dépose, les lourdes d’abord.",
    ],
  },
  ja: {
    title: "川はどうやって海を見つけるか",
    paragraphs: [
      "川は、流れ下る水が、地面が抱えきれないほどの水と出会うところから始まり、そこから海へと向かう。",
      "途中で石を砂に、砂を泥に変え、流れがゆるむところで、まず重いものから、次に軽いものを置いていく。",
    ],
  },
  hi: {
    title: "नदियाँ समुद्र को कैसे खोजती हैं",
    paragraphs: [
      "नदी वहाँ शुरू होती है जहाँ नीचे जाता हुआ पानी उससे अधिक पानी से मिलता है जितना धरती सँभाल सकती है, और वहाँ से समुद्र तक जाती है।",
      "रास्ते में वह पत्थरों को रेत और रेत को कीचड़ बनाती है, और जहाँ धीमी होती है वहाँ उन्हें छोड़ देती है, पहले भारी और फिर हल्के।",
    ],
  },
};

for (const template of Object.keys(pageTemplates))
  test.each(Object.entries(ARTICLES))(
    `the article, and it alone, comes out of a ${template} page in %s`,
    (language, { title, paragraphs }) => {
      const items = paragraphs.map((text) => text.slice(0, text.length / 2).trim());
      const html = `${paragraphs.map((text) => `<p>${text}</p>`).join("\n")}<ul>${items.map((text) => `<li>${text}</li>`).join("")}</ul>`;
      const lines = textOf(wrapArticle(template, { title, html, language })).split("\n");
      const expected = [title, ...paragraphs, ...items.map((text) => `- ${text}`)];
      // A page laid out with tables leaves little to tell its menu by; the article still comes out whole and in order.
      if (template === "table") expect(lines.filter((line) => expected.includes(line))).toEqual(expected);
      else expect(lines).toEqual(expected);
    },
  );

const PROSE = "This paragraph has enough words to be taken for running text by any measure of that.";

test("tables, lists, preformatted text and line breaks stay readable", () => {
  const found = textOf(
    `<body><p>${PROSE}</p><table><tr><th>Name</th><th>Size</th></tr><tr><td>River</td><td>long <b>and</b> wide</td></tr></table>
<ol><li>First</li><li>Second<ul><li>Inner</li></ul></li></ol><pre>if (x) {\n  y();\n}</pre><p>${PROSE} Line one<br>line two</p></body>`,
  );
  expect(found.split("\n")).toEqual([
    PROSE,
    "Name | Size",
    "River | long and wide",
    "- First",
    "- Second",
    "  - Inner",
    "if (x) {",
    "  y();",
    "}",
    `${PROSE} Line one`,
    "line two",
  ]);
});

test("a block that the page has had is dropped", () => {
  expect(textOf(`<p>${PROSE}</p><p>${PROSE} Again.</p><p>${PROSE}</p>`)).toBe(`${PROSE}\n${PROSE} Again.`);
});

test("what is hidden, scripted or a form is not text", () => {
  const chrome = `<p hidden>${PROSE} 1</p><div style="display:none"><p>${PROSE} 2</p></div><script>"${PROSE} 3"</script><noscript>${PROSE} 4</noscript><select><option>${PROSE} 5</select>`;
  expect(textOf(`<p>${PROSE} 0</p>${chrome}<p>${PROSE} 6</p>`)).toBe(`${PROSE} 0\n${PROSE} 6`);
});

test("a page that is one form, or whose class says sidebar, keeps its text", () => {
  const body = `<p>${PROSE} 1</p><p>${PROSE} 2</p>`;
  expect(textOf(`<body><form>${body}</form></body>`)).toBe(`${PROSE} 1\n${PROSE} 2`);
  expect(textOf(`<body class="sidebar-right"><div class="with-sidebar">${body}</div></body>`)).toBe(`${PROSE} 1\n${PROSE} 2`);
});

test("headings stay with their section and go without it", () => {
  expect(
    textOf(
      `<h1>Title</h1><p>${PROSE}</p><h2>See also</h2><ul><li><a href="#">One of them</a></li><li><a href="#">Two of them</a></li></ul>`,
    ),
  ).toBe(`Title\n${PROSE}`);
});

test("a heading that is one link stays above prose of its own, and goes above a link", () => {
  const section = (below: string) => `<h1>Title</h1><p>${PROSE}</p><h2><a href="#">The section</a></h2>${below}`;
  expect(textOf(section(`<p>Then ${PROSE}</p>`))).toBe(`Title\n${PROSE}\nThe section\nThen ${PROSE}`);
  expect(textOf(section('<p><a href="#">All that there is to be read here about it</a></p>'))).toBe(`Title\n${PROSE}`);
});

test("of a table that lays out the page only the cell with the text is read; a table of data is read whole", () => {
  const page = (cell: string) =>
    `<h1>Title</h1><table><tr><td><a href="#">Home</a></td><td>${cell}</td></tr><tr><td colspan=2>All rights reserved. Terms.</td></tr></table>`;
  expect(textOf(page(`<p>${PROSE}</p><p>And ${PROSE}</p>`))).toBe(`Title\n${PROSE}\nAnd ${PROSE}`);
  expect(textOf(page(PROSE))).toBe(`Title\nHome | ${PROSE}\nAll rights reserved. Terms.`);
});

test("title, language and licence of the page are read", () => {
  const html = `<html lang="fr-CA"><head><title> A \n title </title><link rel="license" href="https://creativecommons.org/licenses/by/4.0/"></head><body><p>${PROSE}</p></body></html>`;
  expect(extract(html)).toMatchObject({
    title: "A title",
    htmlLanguage: "fr-CA",
    license: "https://creativecommons.org/licenses/by/4.0/",
    encoding: "utf-8",
    cut: [],
  });
});

const encode = (label: "latin1" | "utf16le", text: string) => Buffer.from(text, label);
/** Text in a single-byte encoding, by asking the decoder for every byte. */
const encodeAs = (encoding: string, text: string) => {
  const table = new TextDecoder(encoding).decode(Uint8Array.from({ length: 256 }, (_, i) => i));
  return Buffer.from([...text].map((character) => table.indexOf(character)));
};
const RUSSIAN = "Река начинается там, где вода встречает больше воды, чем может удержать земля.";

test.each([
  ["byte order mark", Buffer.concat([Buffer.from([0xff, 0xfe]), encode("utf16le", "été")]), undefined, "utf-16le", "été"],
  ["UTF-8 against a wrong header", Buffer.from("été"), "text/html; charset=iso-8859-1", "utf-8", "été"],
  ["header", encodeAs("koi8-r", RUSSIAN), "text/html; charset=KOI8-R", "koi8-r", RUSSIAN],
  ["meta", encode("latin1", '<meta charset="iso-8859-1">été'), undefined, "windows-1252", '<meta charset="iso-8859-1">été'],
  [
    "meta http-equiv",
    encode("latin1", '<meta http-equiv=Content-Type content="text/html; charset=latin1">é'),
    "text/html",
    "windows-1252",
    undefined,
  ],
  ["an unknown name in the header", encode("latin1", '<meta charset="latin1">é'), "text/html; charset=none", "windows-1252", undefined],
  ["the bytes, Russian", encodeAs("windows-1251", RUSSIAN), undefined, "windows-1251", RUSSIAN],
  ["the bytes, French", encode("latin1", "L'été à la forêt: là où ça naît, le blé est mûr."), undefined, "windows-1252", undefined],
  [
    "UTF-8 with a broken character",
    Buffer.concat([Buffer.from("été ".repeat(10)), Buffer.from([0xe9])]),
    "text/html; charset=utf-8",
    "utf-8",
    undefined,
  ],
  ["header, escape sequences", encode("latin1", "\x1b$B$O$$\x1b(B!"), "text/html; charset=iso-2022-jp", "iso-2022-jp", "はい!"],
  ["nothing but ASCII", Buffer.from("plain"), "text/html; charset=shift_jis", "utf-8", "plain"],
])("the encoding is found by %s", (_, bytes, contentType, encoding, text) => {
  const decoded = decodePage(bytes, contentType);
  expect(decoded.encoding).toBe(encoding);
  if (text !== undefined) expect(decoded.text).toBe(text);
});

test("hostile pages are cut or given up in bounded time", () => {
  const deep = (depth: number) => extract(`<p>${PROSE} 1</p>${"<div>".repeat(depth)}<p>${PROSE} 2</p>`) as ExtractedText;
  expect(deep(2_000)).toMatchObject({ cut: ["depth"], text: `${PROSE} 1\n${PROSE} 2` });
  expect(deep(1_000_000)).toMatchObject({ cut: ["depth"], text: `${PROSE} 1` });
  const many = extract(`<p>${PROSE}</p>${"<b>x</b>".repeat(5_000)}`, { maxElements: 1_000, maxSeconds: 20 }) as ExtractedText;
  expect(many.cut).toEqual(["elements"]);
  const long = extract(`<p>${PROSE}</p>`.repeat(1000), { maxCharacters: 5_000 }) as ExtractedText;
  expect(long.cut).toEqual(["characters"]);
  expect(extract(`<p>${PROSE}</p>`.repeat(100_000), { maxSeconds: 0.001 })).toBe("extraction-over-time");
  expect(extract("")).toBe("no-main-text");
  expect(extract("<a href=x>only a link</a>")).toBe("no-main-text");
  expect(textOf(`<p>${PROSE}&#xd800;&#0;&#7;</p>`)).toBe(`${PROSE}\ufffd\ufffd`);
});

test("3,000 damaged pages never fail, and give text without ASCII control characters or lone surrogates", () => {
  const random = stream(3, "extract-fuzz");
  const originals = Object.keys(pageTemplates).map((template) =>
    Buffer.from(
      wrapArticle(template, {
        title: "A title",
        html: `<p>${PROSE}</p><table><tr><td>a<td>b</table><ul><li>${PROSE} 2</ul>`,
        language: "en",
      }),
    ),
  );
  const marks = ["<", ">", "</", "<!--", "]]>", "&#", "\0", "<table>", "<script>", "</body>", "<p ", '"', "<title>", "<a><a>"];
  for (let variant = 0; variant < 3_000; variant++) {
    let bytes = Buffer.from(originals[random.integer(originals.length)]!);
    for (let i = random.integer(6); i >= 0; i--) {
      const at = random.integer(bytes.length);
      if (random.integer(2) === 0) bytes[at] = random.integer(256);
      else
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          Buffer.from(marks[random.integer(marks.length)]!),
          bytes.subarray(at + random.integer(3)),
        ]);
    }
    const found = extract(bytes, { maxSeconds: 10 });
    if (typeof found === "string") expect(found).toBe("no-main-text");
    else expect(found.text).not.toMatch(/[^\P{Cc}\t\n\x80-\x9f]|\p{Cs}/u);
  }
});
