// Makes the text of the quickstart: pages of LibreOffice's help in English and Basque, from two Debian packages.
//   apt-get download libreoffice-help-en-us libreoffice-help-eu && for f in *.deb; do dpkg -x $f unpacked; done
//   node tools/quickstart-text.mjs unpacked
// The text is under the Mozilla Public License 2.0; see examples/quickstart/NOTICE.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { parseDocument } from "htmlparser2";

const BYTES_PER_LANGUAGE = 1_600_000;
const BLOCKS = new Set(["h1", "h2", "h3", "h4", "h5", "h6", "p", "li", "td", "th", "dt", "dd", "pre"]);
const LEFT_OUT = new Set(["script", "style", "nav", "header", "footer", "aside", "noscript", "button", "img", "svg"]);

const [unpacked] = process.argv.slice(2);
if (unpacked === undefined) {
  console.error("usage: node tools/quickstart-text.mjs FOLDER (the unpacked Debian packages)");
  process.exit(2);
}
const out = new URL("../examples/quickstart/", import.meta.url);
mkdirSync(out, { recursive: true });

for (const [language, folder] of [
  ["english", "en-US"],
  ["basque", "eu"],
]) {
  const root = join(unpacked, "usr/share/libreoffice/help", String(folder), "text");
  const pages = readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".html"))
    .sort();
  const lines = [];
  let bytes = 0;
  // Spread over the whole help instead of one part of it: every page whose number has the next remainder.
  for (let remainder = 0; remainder < 5 && bytes < BYTES_PER_LANGUAGE; remainder++) {
    for (let i = remainder; i < pages.length && bytes < BYTES_PER_LANGUAGE; i += 5) {
      const id = pages[i];
      const text = textOf(/** @type {any} */ (parseDocument(readFileSync(join(root, String(id)), "utf8"))));
      if (text.length < 400) continue;
      lines.push(JSON.stringify({ id, text }));
      bytes += Buffer.byteLength(text);
    }
  }
  const file = new URL(`${language}.jsonl.gz`, out);
  writeFileSync(file, gzipSync(`${lines.join("\n")}\n`, { level: 9 }));
  console.log(`${language}: ${lines.length} pages, ${bytes} bytes of text`);
}

/**
 * A node of the parsed page, as far as it is read here.
 * @typedef {{ type: string, name?: string, data?: string, attribs?: Record<string, string>, children?: Node[] }} Node
 */

/**
 * The text of a page: one line per block, in reading order, each line once.
 * @param {Node} document
 */
function textOf(document) {
  /** @type {string[]} */
  const lines = [];
  const body = find(document, (node) => node.attribs?.id === "DisplayArea");
  if (body !== undefined) blocks(body, lines);
  return [...new Set(lines)].join("\n");
}

/** @param {Node} node @param {string[]} lines */
function blocks(node, lines) {
  for (const child of node.children ?? []) {
    if (LEFT_OUT.has(child.name ?? "")) continue;
    if (BLOCKS.has(child.name ?? "") && find(child, (inner) => inner !== child && BLOCKS.has(inner.name ?? "")) === undefined) {
      const text = plain(child).replace(/\s+/g, " ").trim();
      if (text !== "") lines.push(text);
    } else blocks(child, lines);
  }
}

/** @param {Node} node @returns {string} */
function plain(node) {
  if (node.type === "text") return node.data ?? "";
  return LEFT_OUT.has(node.name ?? "") ? "" : (node.children ?? []).map(plain).join("");
}

/** @param {Node} node @param {(node: Node) => boolean} test @returns {Node | undefined} */
function find(node, test) {
  if (test(node)) return node;
  for (const child of node.children ?? []) {
    const found = find(child, test);
    if (found !== undefined) return found;
  }
  return undefined;
}
