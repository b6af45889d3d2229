/** The data card of a corpus: a README with the front matter that data hubs read. */
import type { CorpusManifest } from "./manifest.ts";

export function dataCard(manifest: CorpusManifest): string {
  const { name, documents, bytes, languages, funnel, rejections, failures, recipe, precision, rehydration } = manifest;
  const codes = [...new Set(Object.keys(languages).map((label) => label.split("_")[0]!))];
  const row = (...cells: (string | number)[]) => `| ${cells.join(" | ")} |`;
  const reasons = (dropped: Readonly<Record<string, number>>) =>
    Object.entries(dropped)
      .sort(([, a], [, b]) => b - a)
      .map(([reason, count]) => `${reason} ${count}`)
      .join(", ");
  const gated = Object.entries(precision).map(
    ([label, { contamination, applied }]) =>
      `${label} ${(100 * contamination).toFixed(1)} %${applied ? "" : " (below the gate: not applied)"}`,
  );
  const times = Object.entries(rehydration ?? {}).map(
    ([label, { table }]) => `${label} ${table.map(([size, count]) => `${size}: ${count}`).join(", ")}`,
  );
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
    ...(gated.length > 0 ? [`Documents without a word of their language: ${gated.join("; ")}.`, ""] : []),
    ...(times.length > 0 ? [`Repetitions by first cluster size, in \`rehydrated/\`: ${times.join("; ")}.`, ""] : []),
    "Fields of a document: `id`, `text`, `url`, `language` (ISO 639-3), `script` (ISO 15924), `languageScore` (0–1), `clusterSize` (near duplicates,",
    "itself included), `provenance` (file, offset, date, licence …), `metadata` (what came with it), `annotations` (what the steps found).",
    recipe.anonymize
      ? "E-mail addresses, IP addresses and other personal data that the recipe names were replaced."
      : "Personal data was not replaced.",
    "Settings, counts and SHA-256 hashes of all files: `manifest.json`. What was dropped, with reasons: `dropped/`.",
    "",
  ].join("\n");
}
