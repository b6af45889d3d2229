/** Steps that a recipe can ask for besides the usual ones, through the pipeline. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { Document } from "../document.ts";
import { readDocuments } from "../formats/index.ts";
import { countDrops } from "./inspect.ts";
import { runCorpus } from "./run.ts";
import { samplePages } from "./sample-crawl.ts";

const root = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "corpus-steps-"));
afterAll(() => rmSync(root, { recursive: true }));
const model = join(
  dirname(createRequire(import.meta.url).resolve("fasttext.wasm.js/package.json")),
  "dist/models/language-identification/assets/lid.176.ftz",
);

test("scores, word lists, secrets, licences, precision, marks of personal data, Parquet and repeated documents", async () => {
  const paragraphs = samplePages({ seed: 3, articles: 12, copies: 0 })
    .filter(({ language }) => language === "en")
    .map(({ html }) =>
      [...html.matchAll(/<p>(.*?)<\/p>/gs)]
        .map(([, text]) => text!)
        .filter((text) => text.length > 200)
        .join("\n"),
    );
  const [a = "", b = "", c = "", d = "", e = "", f = ""] = paragraphs;
  const record = (id: string, text: string, license?: string) =>
    JSON.stringify({ id, text, ...(license === undefined ? {} : { provenance: { file: "crawl", license } }) });
  const lines = [
    record("kept", `${a}\nWrite to anna@posta.org today.`),
    record("copy", `${a}\nWrite to anna@posta.org now.`),
    record("secret", `${b} sk-1234567890abcdef`),
    record("bad-word", `${c} frobnicate`),
    record("short", "Too short."),
    record("licensed", d, "https://creativecommons.org/licenses/by-nc/4.0/"),
    record("stranger", e),
    record("junk", "a | b | c / d # e ".repeat(60)),
    record("also kept", `${f} harbour`),
  ];
  writeFileSync(join(root, "in.jsonl"), `${lines.join("\n")}\n`);
  writeFileSync(join(root, "words.txt"), "# ours\nharbour\nanna\n");
  const at = join(root, "run");
  const manifest = await runCorpus(at, {
    inputs: [join(root, "in.jsonl")],
    license: { accept: ["CC-BY-4.0"], missing: "keep" },
    identify: { model },
    languages: { minScore: 0 },
    score: {},
    filters: [
      { filter: "hplt", maxShortLength: 100 },
      { filter: "secrets", strings: ["sk-1234567890abcdef"] },
      { filter: "c4-bad-words", words: { eng: ["frobnicate"] }, missingLanguage: "keep" },
      { filter: "precision", lists: [{ language: "eng_Latn", words: [`@${join(root, "words.txt")}`] }] },
      { filter: "web-docs-score", minScore: 1 },
    ],
    anonymize: null,
    personalDataOffsets: true,
    rehydrate: { maxRepetitions: 3 },
    formats: ["jsonl.zst", "parquet"],
  });
  const reasons = new Set((await countDrops(at)).map(({ reason }) => reason));
  for (const reason of ["license-not-accepted", "secret", "bad-word", "no-affinity-word", "duplicate"]) expect(reasons).toContain(reason);
  expect(manifest.precision.eng_Latn).toMatchObject({ applied: true });
  const documents: Document[] = [];
  const paths = manifest.files.map(({ path }) => path);
  for await (const document of readDocuments([join(at, paths.find((path) => path.startsWith("documents/eng_Latn"))!)]))
    documents.push(document);
  expect(documents.map(({ id }) => id)).toEqual(["kept", "also kept"]);
  const { text, annotations, clusterSize } = documents[0]!;
  expect(clusterSize).toBe(2);
  const [[from, to] = [0, 0]] = annotations.personalData as unknown as [number, number][];
  expect([...text].slice(from, to).join("")).toBe("anna@posta.org");
  expect(annotations.webDocsScore).toMatchObject({ score: expect.any(Number) as number });
  const copies = async (kind: string) => {
    const path = paths.find((one) => one.startsWith(`${kind}/eng_Latn`))!;
    const ids: string[] = [];
    for await (const { id } of readDocuments([join(at, path)])) ids.push(id);
    return ids;
  };
  expect(await copies("parquet")).toEqual(["kept", "also kept"]);
  // The filters remove none of the clusters of two and most of the singletons: the cluster's document is repeated, the other is not.
  expect(await copies("rehydrated")).toEqual(["kept", "kept#2", "kept#3", "also kept"]);
});
