// Makes the text of the quickstart: pages of LibreOffice's help in English and Basque, from two Debian packages.
//   apt-get download libreoffice-help-en-us libreoffice-help-eu && for f in *.deb; do dpkg -x $f unpacked; done
//   node tools/quickstart-text.mjs unpacked
// The text is under the Mozilla Public License 2.0; see examples/quickstart/NOTICE.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { parseDocument } from "htmlparser2";
import { textOf } from "./html-text.mjs";

const BYTES_PER_LANGUAGE = 1_600_000;

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
      const text = textOf(parseDocument(readFileSync(join(root, String(id)), "utf8")), ({ attribs }) => attribs?.id === "DisplayArea");
      if (text.length < 400) continue;
      lines.push(JSON.stringify({ id, text }));
      bytes += Buffer.byteLength(text);
    }
  }
  const file = new URL(`${language}.jsonl.gz`, out);
  writeFileSync(file, gzipSync(`${lines.join("\n")}\n`, { level: 9 }));
  console.log(`${language}: ${lines.length} pages, ${bytes} bytes of text`);
}
