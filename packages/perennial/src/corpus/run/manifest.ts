/** What a run has made: counts of every step, files with their hashes, and a data card that people read. */
import { join } from "node:path";
import { readJson, writeDurably, writeJson } from "../durable.ts";
import { hashFile } from "../formats/index.ts";
import { addFunnel, type Funnel } from "./counts.ts";
import { type CorpusPlan, type CorpusTask, places } from "./plan.ts";
import type { ReadMark } from "./read-phase.ts";
import type { CorpusRecipe } from "./recipe.ts";
import type { LanguageChoice, WriteMark } from "./write-phase.ts";

export interface CorpusManifest {
  readonly name: string;
  readonly recipe: CorpusRecipe;
  readonly shards: number;
  readonly documents: number;
  readonly bytes: number;
  readonly languages: Readonly<Record<string, { documents: number; bytes: number; minScore: number; filtered: boolean }>>;
  readonly funnel: Funnel;
  /** Broken records by reason. */
  readonly rejections: Readonly<Record<string, number>>;
  /** Shards that could not be read to their end. */
  readonly failures: readonly { readonly path: string; readonly reason: string }[];
  readonly clusters: unknown;
  readonly files: readonly { readonly path: string; readonly documents: number; readonly sha256: string }[];
}

export async function writeManifest(folder: string, { recipe, shards }: CorpusPlan, task: CorpusTask): Promise<void> {
  const funnel: Funnel = {};
  const rejections: Record<string, number> = {};
  const failures: { path: string; reason: string }[] = [];
  const languages: Record<string, { documents: number; bytes: number }> = {};
  const files: Record<string, number> = {};
  for (const [index, { path }] of shards.entries()) {
    const read = readJson<ReadMark>(places.mark(folder, { phase: "read", index }))!;
    const write = readJson<WriteMark>(places.mark(folder, { phase: "write", index }))!;
    addFunnel(funnel, read.funnel);
    addFunnel(funnel, write.funnel);
    for (const [reason, count] of Object.entries(read.rejections)) rejections[reason] = (rejections[reason] ?? 0) + count;
    if (read.failed !== undefined) failures.push({ path, reason: read.failed });
    for (const [label, { documents, bytes }] of Object.entries(write.languages)) {
      const sum = languages[label] ?? { documents: 0, bytes: 0 };
      languages[label] = { documents: sum.documents + documents, bytes: sum.bytes + bytes };
    }
    Object.assign(files, write.files);
  }
  const { minScore } = readJson<LanguageChoice>(places.mark(folder, { phase: "thresholds", index: 0 }))!;
  const filtered = new Set(recipe.thresholds.map(({ language }) => language));
  const hashed = [];
  for (const path of Object.keys(files).sort()) hashed.push({ path, documents: files[path]!, sha256: await hashFile(join(folder, path)) });
  const sum = (key: "documents" | "bytes") => Object.values(languages).reduce((total, counts) => total + counts[key], 0);
  const manifest: CorpusManifest = {
    name: recipe.name,
    recipe,
    shards: shards.length,
    documents: sum("documents"),
    bytes: sum("bytes"),
    languages: Object.fromEntries(
      Object.entries(languages)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([label, counts]) => [label, { ...counts, minScore: minScore[label] ?? 0, filtered: filtered.has(label) }]),
    ),
    funnel,
    rejections,
    failures,
    clusters: recipe.deduplicate ? readJson(places.mark(folder, { phase: "clusters", index: 0 })) : null,
    files: hashed,
  };
  writeJson(places.manifest(folder), manifest);
  writeDurably(places.card(folder), dataCard(manifest));
  writeJson(places.mark(folder, task), {});
}

/** A README with the front matter that data hubs read. */
export function dataCard({ name, documents, bytes, languages, funnel, rejections, failures, recipe }: CorpusManifest): string {
  const codes = [...new Set(Object.keys(languages).map((label) => label.split("_")[0]!))];
  const row = (...cells: (string | number)[]) => `| ${cells.join(" | ")} |`;
  const reasons = (dropped: Readonly<Record<string, number>>) =>
    Object.entries(dropped)
      .sort(([, a], [, b]) => b - a)
      .map(([reason, count]) => `${reason} ${count}`)
      .join(", ");
  return [
    "---",
    `pretty_name: ${name}`,
    `language: [${codes.join(", ")}]`,
    "task_categories: [text-generation]",
    "configs:",
    ...Object.keys(languages).flatMap((label) => [`  - config_name: ${label}`, `    data_files: documents/${label}/*.jsonl.zst`]),
    "---",
    "",
    `# ${name}`,
    "",
    `${documents} documents, ${bytes} bytes of text, ${Object.keys(languages).length} languages${recipe.crawl === undefined ? "" : `, from ${recipe.crawl}`}.`,
    "",
    "| language | documents | bytes | least score | filtered |",
    "|---|---|---|---|---|",
    ...Object.entries(languages).map(([label, counts]) =>
      row(label, counts.documents, counts.bytes, counts.minScore.toFixed(4), counts.filtered ? "yes" : "no"),
    ),
    "",
    "| step | documents in | documents out | bytes in | bytes out | dropped |",
    "|---|---|---|---|---|---|",
    ...Object.entries(funnel).map(([step, counts]) =>
      row(step, counts.documentsIn, counts.documentsOut, counts.bytesIn, counts.bytesOut, reasons(counts.dropped)),
    ),
    "",
    ...(Object.keys(rejections).length > 0 ? [`Records that could not be read: ${reasons(rejections)}.`, ""] : []),
    ...failures.flatMap(({ path, reason }) => [`Not read to its end: ${path} (${reason})`, ""]),
    recipe.anonymize
      ? "E-mail addresses, IP addresses and other personal data that the recipe names were replaced."
      : "Personal data was not replaced.",
    "Settings, counts and SHA-256 hashes of all files: `manifest.json`. What was dropped, with reasons: `dropped/`.",
    "",
  ].join("\n");
}
