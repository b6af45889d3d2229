// Makes the excerpts of examples/domains: documentation in five languages, three kinds of technical English, and source code.
//   apt-get download libreoffice-help-{es,fr,de,it,fi} gnome-user-docs python3.11-doc postgresql-doc-15 libpython3.11-stdlib
//   for f in *.deb; do dpkg -x $f unpacked; done
//   node tools/domain-text.mjs unpacked
// Licenses: examples/domains/NOTICE.
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { parseDocument } from "htmlparser2";
import { textOf } from "./html-text.mjs";

const BYTES_PER_DOMAIN = 1_000_000;
/** Long pages become several documents, cut between lines: a held-out share of few huge documents would be no sample. */
const DOCUMENT_CHARACTERS = 4000;
const MIN_CHARACTERS = 400;

const [unpacked] = process.argv.slice(2);
if (unpacked === undefined) {
  console.error("usage: node tools/domain-text.mjs FOLDER (the unpacked Debian packages)");
  process.exit(2);
}

/** @typedef {Parameters<Parameters<typeof textOf>[1]>[0]} Node */
/** @typedef {{ root: string, ending: string, read: (content: string) => string }} Domain */

/** @param {(node: Node) => boolean} isBody @param {string[]} leftOut */
const page = (isBody, leftOut = []) => {
  const classes = new Set(leftOut);
  return (/** @type {string} */ content) => textOf(parseDocument(content), isBody, classes);
};
const body = (/** @type {Node} */ { name }) => name === "body";
const help = (/** @type {string} */ language) => ({
  root: `usr/share/libreoffice/help/${language}/text`,
  ending: ".html",
  read: page(({ attribs }) => attribs?.id === "DisplayArea"),
});

/** @type {Record<string, Domain>} */
const domains = {
  spanish: help("es"),
  french: help("fr"),
  german: help("de"),
  italian: help("it"),
  finnish: help("fi"),
  "python-manual": {
    root: "usr/share/doc/python3.11/html",
    ending: ".html",
    read: page(({ attribs }) => attribs?.role === "main", ["headerlink"]),
  },
  postgresql: {
    root: "usr/share/doc/postgresql-doc-15/html",
    ending: ".html",
    read: page(body, ["navheader", "navfooter", "toc"]),
  },
  desktop: { root: "usr/share/help/C", ending: ".page", read: page(({ name }) => name === "page") },
  "python-code": { root: "usr/lib/python3.11", ending: ".py", read: (content) => content },
};

const out = new URL("../examples/domains/", import.meta.url);
mkdirSync(out, { recursive: true });
for (const [name, { root, ending, read }] of Object.entries(domains)) {
  const folder = join(unpacked, root);
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(ending) && statSync(join(folder, file), { throwIfNoEntry: false })?.isFile())
    .sort();
  const lines = [];
  let bytes = 0;
  // Spread over the whole instead of one part of it.
  for (let remainder = 0; remainder < 5 && bytes < BYTES_PER_DOMAIN; remainder++) {
    for (let i = remainder; i < files.length && bytes < BYTES_PER_DOMAIN; i += 5) {
      const file = String(files[i]);
      for (const [part, text] of [...pieces(read(readFileSync(join(folder, file), "utf8")))].entries()) {
        if (text.length < MIN_CHARACTERS || bytes >= BYTES_PER_DOMAIN) continue;
        lines.push(JSON.stringify({ id: part === 0 ? file : `${file}#${part + 1}`, text }));
        bytes += Buffer.byteLength(text);
      }
    }
  }
  const packed = gzipSync(`${lines.join("\n")}\n`, { level: 9 });
  writeFileSync(new URL(`${name}.jsonl.gz`, out), packed);
  console.log(`${name}: ${lines.length} documents, ${bytes} bytes of text, ${packed.length} bytes packed`);
}

/** @param {string} text */
function* pieces(text) {
  let piece = "";
  for (const line of text.split("\n")) {
    if (piece.length + line.length > DOCUMENT_CHARACTERS && piece !== "") {
      yield piece;
      piece = "";
    }
    piece += piece === "" ? line : `\n${line}`;
  }
  if (piece !== "") yield piece;
}
