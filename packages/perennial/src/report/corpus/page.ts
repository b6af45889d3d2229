/** The report of a corpus: one HTML file that needs nothing else. */
import type { CorpusManifest, StepCounts } from "../../corpus/run/index.ts";
import type { LanguageThresholds } from "../../corpus/thresholds/index.ts";
import { formatCount } from "../../recipe/index.ts";
import { type ChartSpec, chart } from "../chart.ts";
import { type Content, html, type Markup } from "../html.ts";
import { htmlPage, section } from "../page.ts";
import type { CorpusReportData, SampleText } from "./collect.ts";
import type { Histogram } from "./histogram.ts";

/** Languages that a picture can tell apart. */
const CHARTED = 6;

export function corpusPage(data: CorpusReportData): string {
  const { manifest, seen } = data;
  const languages = largest(manifest);
  const { documents, bytes, name } = manifest;
  const part =
    seen.shards < seen.ofShards
      ? ` Histograms, domains and samples are from ${formatCount(seen.documents)} documents of ${seen.shards} of ${seen.ofShards} shards, spread over the corpus.`
      : "";
  return htmlPage(
    `${name} – corpus report`,
    html`<header><p class="brand">Perennial corpus</p><h1>${name}</h1>
<p class="sub">${formatCount(documents)} documents · ${size(bytes)} of text · ${Object.keys(manifest.languages).length} languages${manifest.recipe.crawl === undefined ? "" : ` · ${manifest.recipe.crawl}`}</p>${part === "" ? null : html`<p class="note">${part}</p>`}</header>
${section("Funnel", "What went into and came out of every step, in the order of the pipeline. Bytes are those of the page before, of its text after extraction.", funnel(manifest))}
${section("What was not read", "Records and shards that are broken are set aside and counted.", notRead(manifest))}
${section("Languages", undefined, languageTable(data))}
${section("Length", "Of kept documents, by language.", charts(languages, data.lengths, { title: "length", x: "log₁₀ of characters", y: "share of documents" }))}
${section(
  "Language scores",
  "Probability that the identifier gives its label, of all identified documents. A mark: documents below it are dropped.",
  scoreCharts(data, languages),
)}
${section("Web Docs Score", "0 to 10, of kept documents.", charts(languages, data.documentScores, { title: "score", x: "Web Docs Score", y: "share of documents" }))}
${section("Near duplicates", "Kept documents by the size of their cluster: how many near copies the crawl had, the document included.", clusters(data))}
${section("Top domains", undefined, domains(data))}
${section("Thresholds", "By language: the value in force, the English one it was adapted from, and how.", thresholdTables(data))}
${section("Kept", "Samples by language, drawn evenly.", samples(data.kept))}
${section("Dropped", "Samples by step and reason, with the numbers that decided.", samples(data.dropped))}
<footer>Settings, counts and hashes of all files: manifest.json beside the corpus. Every dropped document with its reason: dropped/.</footer>`,
  );
}

const largest = ({ languages }: CorpusManifest): string[] =>
  Object.entries(languages)
    .sort(([, a], [, b]) => b.documents - a.documents)
    .slice(0, CHARTED)
    .map(([label]) => label);

const percent = (part: number, of: number): string => (of === 0 ? "–" : `${((100 * part) / of).toFixed(1)} %`);

export function size(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  return `${Number((bytes / 1000 ** power).toPrecision(3))} ${units[power]}`;
}

function funnel({ funnel }: CorpusManifest): Content {
  const steps = Object.entries(funnel);
  if (steps.length === 0) return null;
  const most = Math.max(...steps.map(([, { documentsIn }]) => documentsIn));
  const row = ([step, counts]: [string, StepCounts]) => html`<tr><th>${step}</th>
<td class="num">${formatCount(counts.documentsIn)}</td><td class="num">${formatCount(counts.documentsOut)}<br><small>${percent(counts.documentsOut, counts.documentsIn)}</small></td>
<td class="num">${size(counts.bytesIn)}</td><td class="num">${size(counts.bytesOut)}</td>
<td class="bars"><i style="width:${(100 * counts.documentsIn) / most}%"></i><b style="width:${(100 * counts.documentsOut) / most}%"></b></td>
<td>${reasons(counts)}</td></tr>`;
  return html`<div class="scroll"><table class="funnel"><thead><tr><th>step</th><th class="num">documents in</th><th class="num">out</th><th class="num">bytes in</th><th class="num">out</th><th></th><th>dropped</th></tr></thead>
<tbody>${steps.map(row)}</tbody></table></div>`;
}

function reasons({ dropped, documentsIn }: StepCounts): Content {
  const all = Object.entries(dropped).sort(([, a], [, b]) => b - a);
  const line = ([reason, count]: [string, number]) =>
    html`<div>${reason} <small>${formatCount(count)}, ${percent(count, documentsIn)}</small></div>`;
  if (all.length <= 4) return all.map(line);
  return html`${all.slice(0, 3).map(line)}<details><summary>${all.length - 3} more</summary>${all.slice(3).map(line)}</details>`;
}

function notRead({ rejections, failures }: CorpusManifest): Content {
  const records = Object.entries(rejections).sort(([, a], [, b]) => b - a);
  if (records.length === 0 && failures.length === 0) return null;
  return html`${records.length === 0 ? null : html`<p>Records: ${records.map(([reason, count]) => `${reason} ${formatCount(count)}`).join(", ")}.</p>`}
${failures.length === 0 ? null : html`<ul class="events">${failures.map(({ path, reason }) => html`<li>${path}: ${reason}</li>`)}</ul>`}`;
}

function languageTable({ manifest }: CorpusReportData): Content {
  const rows = Object.entries(manifest.languages).sort(([, a], [, b]) => b.documents - a.documents);
  if (rows.length === 0) return html`<p class="note">No document was kept.</p>`;
  const { documents } = manifest;
  return html`<div class="scroll"><table><thead><tr><th>language</th><th class="num">documents</th><th class="num">share</th><th class="num">text</th><th class="num">least score</th><th>filters on numbers</th></tr></thead>
<tbody>${rows.map(
    ([
      label,
      totals,
    ]) => html`<tr><th>${label}</th><td class="num">${formatCount(totals.documents)}</td><td class="num">${percent(totals.documents, documents)}</td>
<td class="num">${size(totals.bytes)}</td><td class="num">${totals.minScore.toFixed(3)}</td><td>${totals.filtered ? "with thresholds" : "none: no thresholds"}</td></tr>`,
  )}</tbody></table></div>`;
}

function charts(languages: readonly string[], histograms: ReadonlyMap<string, Histogram>, spec: Omit<ChartSpec, "lines">): Content {
  const known = languages.filter((label) => histograms.has(label));
  if (known.length === 0) return null;
  const ranges = known.map((label) => histograms.get(label)!.range);
  const [low, high] = [Math.min(...ranges.map(([from]) => from)), Math.max(...ranges.map(([, to]) => to))];
  const lines = known.map((label, color) => ({ label, color, ...within(histograms.get(label)!.outline(), low, high) }));
  return chart({ ...spec, lines, yFromZero: true });
}

function within({ x, y }: { x: number[]; y: number[] }, low: number, high: number) {
  const inside = x.map((value) => value >= low - 1e-9 && value <= high + 1e-9);
  return { x: x.filter((_, i) => inside[i]), y: y.filter((_, i) => inside[i]) };
}

function scoreCharts({ languageScores, manifest }: CorpusReportData, languages: readonly string[]): Markup[] {
  return languages.flatMap((label, color) => {
    const histogram = languageScores.get(label);
    if (histogram === undefined) return [];
    const minScore = manifest.languages[label]?.minScore ?? 0;
    const marks = minScore > 0 ? [{ x: minScore, label: `least: ${minScore.toFixed(3)}` }] : [];
    const lines = [{ label, color, ...histogram.outline() }];
    return [chart({ title: label, x: "language score", y: "share of documents", lines, marks, yFromZero: true, height: 170 })];
  });
}

function clusters({ clusterSizes, manifest }: CorpusReportData): Content {
  if (manifest.clusters === null || clusterSizes.size === 0) return null;
  const rows = [...clusterSizes].sort(([a], [b]) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
  const total = rows.reduce((sum, [, count]) => sum + count, 0);
  return html`<table><thead><tr><th>cluster size</th><th class="num">documents</th><th class="num">share</th></tr></thead>
<tbody>${rows.map(([of, count]) => html`<tr><th>${of}</th><td class="num">${formatCount(count)}</td><td class="num">${percent(count, total)}</td></tr>`)}</tbody></table>`;
}

function domains({ domains, seen }: CorpusReportData): Content {
  if (domains.length === 0) return null;
  return html`<table><thead><tr><th>host</th><th class="num">documents</th><th class="num">share</th></tr></thead>
<tbody>${domains.map(({ host, documents }) => html`<tr><th>${host}</th><td class="num">${formatCount(documents)}</td><td class="num">${percent(documents, seen.documents)}</td></tr>`)}</tbody></table>`;
}

function thresholdTables({ thresholds, manifest }: CorpusReportData): Markup[] {
  return Object.values(thresholds)
    .filter(({ language }) => manifest.languages[language] !== undefined)
    .map(
      (
        all,
        i,
      ) => html`<details${i === 0 ? " open" : ""}><summary>${all.language}</summary><div class="scroll"><table><thead><tr><th>threshold</th><th class="num">value</th><th class="num">English</th><th>why</th></tr></thead>
<tbody>${thresholdRows(all)}</tbody></table></div><p class="note">${all.stopWords.length} stop words: ${all.stopWords.slice(0, 30).join(", ")}${all.stopWords.length > 30 ? ", …" : ""}</p></details>`,
    );
}

function thresholdRows(all: LanguageThresholds): Markup[] {
  return (["gopherRepetition", "finewebQuality", "gopherQuality"] as const).flatMap((group) =>
    Object.entries(all[group]).map(([name, value]) => {
      const because = all.because[`${group}.${name}`];
      return html`<tr><th>${group}.${name}</th><td class="num">${value === null ? "off" : String(value)}</td><td class="num">${because === undefined ? "" : String(because.english)}</td>
<td>${because === undefined ? "given" : `${because.method} over ${because.reference} (unrounded ${Number(because.unrounded.toPrecision(5))})`}</td></tr>`;
    }),
  );
}

function samples(groups: ReadonlyMap<string, readonly SampleText[]>): Markup[] {
  return [...groups].map(
    ([name, texts]) =>
      html`<details><summary>${name}</summary>${texts.map(
        ({ id, url, label, text, why }) =>
          html`<blockquote><cite>${url ?? id} · ${label}${why === undefined ? "" : ` · ${numbers(why)}`}</cite><p>${text}</p></blockquote>`,
      )}</details>`,
  );
}

const numbers = (why: Readonly<Record<string, unknown>>): string =>
  Object.entries(why)
    .map(
      ([name, value]) =>
        `${name} ${typeof value === "number" ? Number(value.toPrecision(4)) : typeof value === "string" ? value : JSON.stringify(value)}`,
    )
    .join(", ");
