/**
 * A small crawl whose truth is known: articles of real text wrapped in the chrome of sites, and what a crawl has besides, planted: copies under
 * other addresses with 2% of their words changed, text that was decoded wrongly, personal data, pages of one phrase repeated, of part numbers,
 * of links only, pages that robots.txt forbids, and pages of languages that are not wanted.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Stream } from "../../stream.ts";
import { pageTemplates, wrapArticle } from "../extract/index.ts";
import { warcRecord, warcResponse } from "../warc/index.ts";

export type Kind = "article" | "copy" | "repetition" | "parts" | "links" | "foreign" | "barred";

export interface Truth {
  readonly url: string;
  readonly kind: Kind;
  /** Language and script, e.g. `eus_Latn`. */
  readonly label: string;
  /** Number of the article; its copies share it. */
  readonly article: number;
  /** The article as it should come out. */
  readonly lines: readonly string[];
  /** The page shows its text decoded wrongly. */
  readonly garbled: boolean;
  /** Personal data in it. */
  readonly personal: readonly string[];
}

/** The lines of an article; the first is its title. */
export type Article = readonly string[];

export interface DemoTexts {
  /** Wanted languages by label. */
  readonly wanted: Readonly<Record<string, readonly Article[]>>;
  readonly foreign: Readonly<Record<string, readonly Article[]>>;
}

const BARRED_PATH = "/private/";
const ROBOTS = `User-agent: *\nDisallow: ${BARRED_PATH}\n`;

export function plant({ wanted, foreign }: DemoTexts, random: Stream): Truth[] {
  const truths: Truth[] = [];
  let article = 0;
  const add = (kind: Kind, label: string, lines: Article, more: Partial<Truth> = {}) => {
    const number = truths.length;
    const path = `${kind === "barred" ? BARRED_PATH : "/"}${label.slice(0, 3)}/${number}`;
    truths.push({
      url: `https://site${number % 9}.example.org${path}`,
      kind,
      label,
      article,
      lines,
      garbled: false,
      personal: [],
      ...more,
    });
  };
  for (const [label, articles] of Object.entries(foreign))
    for (const lines of articles) {
      article++;
      add("foreign", label, lines);
    }
  for (const [label, articles] of Object.entries(wanted))
    for (const lines of articles) {
      article++;
      if (random.uniform() < 0.08) {
        add("barred", label, lines);
        continue;
      }
      const personal = random.uniform() < 0.2 ? [personalData(random), personalData(random)] : [];
      const own = [...lines, ...personal.map((data) => `${lines[0]!}: ${data}.`)];
      add("article", label, own, { personal, garbled: /[^\0-\x7f]/.test(own.join("")) && random.uniform() < 0.25 });
      while (random.uniform() < 0.25) {
        const changed = own.map((line) => changeWords(line, 0.02, random));
        add("copy", label, changed, { personal: personal.filter((data) => changed.some((line) => line.includes(data))) });
      }
      const chance = random.uniform();
      if (chance < 0.08) add("repetition", label, [lines[0]!, `${lines.find((line) => line.length > 40) ?? lines[0]!} `.repeat(25)]);
      else if (chance < 0.16)
        add(
          "parts",
          label,
          Array.from({ length: 60 }, () => partNumber(random)),
        );
      else if (chance < 0.22) add("links", label, []);
    }
  return random.shuffle(truths);
}

export interface DemoCrawl {
  readonly inputs: string;
  readonly robots: string;
}

/** The pages as WARC files of the given number, and the hosts' robots.txt. */
export function writeCrawl(folder: string, truths: readonly Truth[], files: number): DemoCrawl {
  const inputs = join(folder, "pages");
  mkdirSync(inputs, { recursive: true });
  const templates = Object.keys(pageTemplates);
  const shards: Uint8Array[][] = Array.from({ length: files }, () => []);
  for (const [i, truth] of truths.entries())
    shards[i % files]!.push(warcResponse({ url: truth.url, html: pageOf(truth, templates[i % templates.length]!, i), date: DATE }));
  for (const [i, members] of shards.entries()) writeFileSync(join(inputs, `${i}.warc.gz`), Buffer.concat(members));
  const robots = join(folder, "robots.warc.gz");
  const hosts = [...new Set(truths.map(({ url }) => new URL(url).origin))].sort();
  writeFileSync(robots, Buffer.concat(hosts.map(robotsRecord)));
  return { inputs, robots };
}

/** What careless software takes UTF-8 for. */
const WINDOWS = new TextDecoder("windows-1252");
export const garble = (text: string): string => WINDOWS.decode(Buffer.from(text));
const DATE = "2026-11-01T00:00:00Z";

function pageOf({ kind, label, lines, garbled }: Truth, template: string, variant: number): string {
  const shown = garbled ? lines.map(garble) : lines;
  const [title = "", ...rest] = shown;
  const html =
    kind === "links"
      ? '<p><a href="a">A</a> <a href="b">B</a> <a href="c">C</a></p>'
      : rest.map((line) => `<p>${escapeHtml(line)}</p>`).join("\n");
  const language = new Intl.Locale(label.slice(0, 3)).language;
  return wrapArticle(template, { title: escapeHtml(title), html, language, variant });
}

function robotsRecord(origin: string): Uint8Array {
  const http = Buffer.from(`HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n${ROBOTS}`);
  return warcRecord({ "WARC-Type": "response", "WARC-Target-URI": `${origin}/robots.txt`, "WARC-Date": DATE }, http);
}

function changeWords(line: string, share: number, random: Stream): string {
  return line
    .split(" ")
    .map((word) => (random.uniform() < share ? `${word.slice(0, 1)}${word}` : word))
    .join(" ");
}

/** An e-mail address, a public IP address, or an IBAN with right check digits. */
function personalData(random: Stream): string {
  const kind = random.integer(3);
  if (kind === 0) return `m.etxeberria${random.integer(1000)}@posta${random.integer(50)}.net`;
  if (kind === 1) return `81.${random.integer(250)}.${random.integer(250)}.${1 + random.integer(250)}`;
  const account = Array.from({ length: 18 }, () => random.integer(10)).join("");
  // ISO 13616: with country and check digits behind the account, letters as A = 10 …, the number is 1 modulo 97.
  const check = 98n - (BigInt(`${account}131400`) % 97n);
  return `DE${String(check).padStart(2, "0")}${account}`;
}

const partNumber = (random: Stream): string =>
  `XK-${random.integer(10_000)} ${random.integer(99)}V/${random.integer(99)}A #${random.integer(1_000_000)}`;

const escapeHtml = (text: string) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
