/** How well each step did on a crawl whose truth is known: precision and recall of what it should find. */
import { existsSync } from "node:fs";
import { anonymizer } from "../anonymize/index.ts";
import { type Document, languageLabel } from "../document.ts";
import { wordScores } from "../extract/index.ts";
import { readDocuments, readJsonLines } from "../formats/index.ts";
import { repairMojibake } from "../repair/index.ts";
import { garble, type Kind, type Truth } from "./demo-crawl.ts";
import type { DropLine } from "./drops.ts";
import { places } from "./places.ts";

export interface StepQuality {
  readonly step: string;
  /** What precision and recall are of. */
  readonly of: string;
  /** Documents that came to the step. */
  readonly documents: number;
  readonly precision: number;
  readonly recall: number;
}

const ratio = (part: number, whole: number) => (whole === 0 ? 1 : part / whole);

export async function measureQuality(
  folder: string,
  shards: number,
  labels: readonly string[],
  truths: readonly Truth[],
): Promise<StepQuality[]> {
  const byUrl = new Map(truths.map((truth) => [truth.url, truth]));
  const truthOf = ({ url }: { readonly url?: string }) => byUrl.get(url!)!;
  const all = Array.from({ length: shards }, (_, i) => i);
  const read = await collect(readDocuments(all.map((i) => places.read(folder, i))));
  const kept = await collect(
    readDocuments(all.flatMap((i) => labels.map((label) => places.documents(folder, label, i))).filter((path) => existsSync(path))),
  );
  const dropped: DropLine[] = [];
  for (const path of all.flatMap((i) => [places.dropped(folder, "read", i), places.dropped(folder, "write", i)]))
    if (existsSync(path)) for await (const line of readJsonLines<DropLine>(path)) dropped.push(line);
  const droppedBy = new Map(dropped.map(({ url, dropped: { step } }) => [url!, step]));
  const at = (step: string) => truths.filter(({ url }) => droppedBy.get(url) === step);
  const behind = (...steps: string[]) => truths.filter(({ url }) => !steps.includes(droppedBy.get(url) ?? ""));
  const found = (step: string, of: string, among: readonly Truth[], ...kinds: Kind[]): StepQuality => {
    const gone = at(step);
    const right = gone.filter(({ kind }) => kinds.includes(kind)).length;
    const wanted = among.filter(({ kind }) => kinds.includes(kind)).length;
    return { step, of, documents: among.length, precision: ratio(right, gone.length), recall: ratio(right, wanted) };
  };

  const unbarred = behind("robots");
  const extracted = unbarred.filter(({ url }) => droppedBy.get(url) !== "extract");
  const wanted = extracted.filter(({ url }) => droppedBy.get(url) !== "language");
  const distinct = wanted.filter(({ url }) => droppedBy.get(url) !== "deduplicate");
  return [
    found("robots", "pages that robots.txt forbids", truths, "barred"),
    extraction(read, truthOf),
    repair(read, truthOf),
    identification(read, truthOf),
    found("language", "pages in an unwanted language", extracted, "foreign"),
    duplicates(wanted, at("deduplicate")),
    found("filter", "planted junk", distinct, "repetition", "parts"),
    personal(read, kept, truthOf),
  ];
}

type TruthOf = (document: Document) => Truth;

const isText = ({ kind }: Truth) => kind === "article" || kind === "copy" || kind === "foreign";

function extraction(read: readonly Document[], truthOf: TruthOf): StepQuality {
  const pages = read.filter((document) => isText(truthOf(document)));
  const scores = pages.map((document) => wordScores(document.text, truthOf(document).lines.join("\n")));
  const mean = (key: "precision" | "recall") =>
    ratio(
      scores.reduce((sum, score) => sum + score[key], 0),
      scores.length,
    );
  return { step: "extract", of: "words of the article", documents: pages.length, precision: mean("precision"), recall: mean("recall") };
}

/** Words that are not plain ASCII tell whether a page was mended, or harmed. */
function repair(read: readonly Document[], truthOf: TruthOf): StepQuality {
  const pages = read.filter((document) => isText(truthOf(document)));
  const special = (truth: Truth) => truth.lines.flatMap((line) => line.split(" ").filter((word) => /[^\0-\x7f]/.test(word)));
  const isWhole = (document: Document) => special(truthOf(document)).every((word) => !document.text.includes(garble(word)));
  const garbled = pages.filter((document) => truthOf(document).garbled);
  const mended = garbled.filter(isWhole).length;
  const wasHarmed = ({ text }: Document, word: string) => repairMojibake(word) !== word && !text.includes(word);
  const whole = pages.filter((document) => !truthOf(document).garbled);
  const harmed = whole.filter((document) => special(truthOf(document)).some((word) => wasHarmed(document, word))).length;
  return {
    ...{ step: "repair", of: "pages decoded wrongly", documents: pages.length },
    ...{ precision: ratio(mended, mended + harmed), recall: ratio(mended, garbled.length) },
  };
}

function identification(read: readonly Document[], truthOf: TruthOf): StepQuality {
  const pages = read.filter((document) => isText(truthOf(document)));
  const right = ratio(pages.filter((document) => languageLabel(document) === truthOf(document).label).length, pages.length);
  return { step: "identify", of: "labels", documents: pages.length, precision: right, recall: right };
}

/** Of each group of copies all but one should go. Junk pages that are like each other go too; that is no mistake. */
function duplicates(compared: readonly Truth[], dropped: readonly Truth[]): StepQuality {
  const isArticle = ({ kind }: Truth) => kind === "article" || kind === "copy";
  const gone = dropped.filter(isArticle);
  const groups = new Map<number, Truth[]>();
  for (const truth of compared.filter(isArticle)) groups.set(truth.article, [...(groups.get(truth.article) ?? []), truth]);
  let surplus = 0;
  let found = 0;
  for (const group of groups.values()) {
    surplus += group.length - 1;
    found += Math.min(group.length - 1, group.filter((truth) => gone.includes(truth)).length);
  }
  return {
    step: "deduplicate",
    of: "copies",
    documents: compared.length,
    precision: ratio(found, gone.length),
    recall: ratio(found, surplus),
  };
}

function personal(read: readonly Document[], kept: readonly Document[], truthOf: TruthOf): StepQuality {
  const before = new Map(read.map((document) => [document.id, document]));
  const replaceIn = anonymizer();
  let planted = 0;
  let gone = 0;
  let replaced = 0;
  for (const document of kept) {
    const original = before.get(document.id)!;
    const present = truthOf(document).personal.filter((data) => original.text.includes(data));
    planted += present.length;
    gone += present.filter((data) => !document.text.includes(data)).length;
    replaced += Object.values(replaceIn(original.text).replaced).reduce((sum, count) => sum + count, 0);
  }
  return { step: "anonymize", of: "personal data", documents: kept.length, precision: ratio(gone, replaced), recall: ratio(gone, planted) };
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
