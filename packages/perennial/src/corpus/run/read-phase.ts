/** The first phase: the documents of a shard, extracted and identified, and the scores of its languages. */
import { PerennialError } from "../../errors.ts";
import { type Document, languageLabel } from "../document.ts";
import { writeJson } from "../durable.ts";
import { decodePage, extractText } from "../extract/index.ts";
import { type Filter, urlFilter } from "../filter/index.ts";
import { type ReadRecord, readRecords } from "../formats/index.ts";
import { LanguageIdentifier, type ScoreCounts, ScoreHistogram } from "../language/index.ts";
import { type Page, pageOf, readWarc, type WarcItem } from "../warc/index.ts";
import { countDropped, countKept, type Funnel, textBytes } from "./counts.ts";
import { FrameWriter } from "./frames.ts";
import { type CorpusPlan, type CorpusTask, places } from "./plan.ts";
import type { CorpusRecipe } from "./recipe.ts";
import type { Shard } from "./shards.ts";

export interface ReadMark {
  readonly documents: number;
  readonly funnel: Funnel;
  /** Broken records by reason. */
  readonly rejections: Readonly<Record<string, number>>;
  /** Scores by label. */
  readonly scores: Readonly<Record<string, ScoreCounts>>;
  /** Why the shard could not be read to its end. */
  readonly failed?: string;
}

interface ReadState {
  documents: number;
  readonly funnel: Funnel;
  readonly rejections: Record<string, number>;
  scores: Record<string, ScoreCounts>;
}

/** One thread keeps one model. */
let identifier: LanguageIdentifier | undefined;

export async function readShard(
  folder: string,
  { recipe, shards }: CorpusPlan,
  task: CorpusTask,
  onCheckpoint?: () => void,
): Promise<void> {
  const shard = shards[task.index]!;
  const writer = await FrameWriter.open<ReadState>(places.journal(folder, task), { documents: 0, funnel: {}, rejections: {}, scores: {} });
  const { state } = writer;
  const output = places.read(folder, task.index);
  const rejected = places.rejected(folder, task.index);
  const scores = new Map(
    Object.entries(state.scores).map(([label, counts]) => {
      const histogram = new ScoreHistogram();
      histogram.merge(counts);
      return [label, histogram];
    }),
  );
  const stored = () =>
    Object.fromEntries([...scores].sort(([a], [b]) => (a < b ? -1 : 1)).map(([label, histogram]) => [label, histogram.toJSON()]));
  if (recipe.identify && JSON.stringify(identifier?.settings) !== JSON.stringify(recipe.identify))
    identifier = new LanguageIdentifier(recipe.identify);
  const urls = urlFilter(recipe.urls);

  let items = writer.items;
  let failed: string | undefined;
  try {
    if (!writer.finished) {
      writer.touch(output);
      for await (const item of itemsOf(shard, recipe, writer.items)) {
        items++;
        if ("rejection" in item) {
          state.rejections[item.rejection.reason] = (state.rejections[item.rejection.reason] ?? 0) + 1;
          writer.write(rejected, item.rejection);
        } else {
          const document =
            "record" in item ? pageDocument(item.record, shard, recipe, urls, state.funnel) : withUrl(item.document, urls, state.funnel);
          if (document) {
            const identified = recipe.identify ? identifier!.annotate(document) : document;
            const label = languageLabel(identified);
            if (!scores.has(label)) scores.set(label, new ScoreHistogram());
            scores.get(label)!.add(identified.languageScore ?? 1);
            writer.write(
              output,
              recipe.crawl === undefined ? identified : { ...identified, provenance: { ...identified.provenance, crawl: recipe.crawl } },
            );
            state.documents++;
          }
        }
        if (items % recipe.checkpointItems === 0) {
          state.scores = stored();
          writer.checkpoint(items);
          onCheckpoint?.();
        }
      }
    }
  } catch (error) {
    // A shard that cannot be read costs itself only; what was read of it stays. A full disk, say, ends the run.
    if (!(error instanceof PerennialError && error.code === "INPUT_UNREADABLE")) {
      writer.close();
      throw error;
    }
    failed = error.message;
  }
  state.scores = writer.finished ? state.scores : stored();
  writer.finish(items);
  const mark: ReadMark = { ...state, ...(failed === undefined ? {} : { failed }) };
  writeJson(places.mark(folder, task), mark);
  writer.forget();
}

type Item = WarcItem | ReadRecord;

/** The items of a shard behind the first `skip`. */
async function* itemsOf(shard: Shard, recipe: CorpusRecipe, skip: number): AsyncGenerator<Item> {
  if (shard.kind === "records") {
    for await (const { records } of readRecords([shard.file], { maxRecordBytes: recipe.maxRecordBytes }, { file: 0, record: skip }))
      yield* records;
    return;
  }
  let behind = 0;
  for await (const item of readWarc(shard.path, { maxRecordBytes: recipe.maxRecordBytes })) if (++behind > skip) yield item;
}

function pageDocument(
  record: Parameters<typeof pageOf>[0],
  shard: Shard,
  recipe: CorpusRecipe,
  urls: Filter,
  funnel: Funnel,
): Document | undefined {
  const page = pageOf(record, recipe.maxRecordBytes);
  if (typeof page === "string") {
    countDropped(funnel, "read", page, record.payload.length);
    return undefined;
  }
  countKept(funnel, "read", record.payload.length, page.body.length);
  const bare = documentOf(page, shard);
  if (!allowed(bare, urls, funnel, page.body.length)) return undefined;
  if (page.kind === "text") {
    const { text, encoding } = decodePage(page.body, page.contentType);
    const document = {
      ...bare,
      text: text
        .replace(/\r\n?/g, "\n")
        .replace(/\p{Cs}/gu, "\ufffd")
        .trim(),
      provenance: { ...bare.provenance, encoding },
    };
    countKept(funnel, "extract", page.body.length, textBytes(document.text));
    return document;
  }
  const found = extractText(page.body, page.contentType, recipe.extract);
  if (typeof found === "string") {
    countDropped(funnel, "extract", found, page.body.length);
    return undefined;
  }
  countKept(funnel, "extract", page.body.length, textBytes(found.text));
  const { text, title, htmlLanguage, license, encoding, cut } = found;
  return {
    ...bare,
    text,
    provenance: { ...bare.provenance, encoding, ...(license === undefined ? {} : { license }) },
    metadata: {
      ...(title === undefined ? {} : { title }),
      ...(htmlLanguage === undefined ? {} : { htmlLanguage }),
      ...(page.truncated ? { truncated: true } : {}),
      ...(cut.length === 0 ? {} : { cut }),
    },
  };
}

const documentOf = (page: Page, shard: Shard): Document => ({
  id: page.id,
  text: "",
  ...(page.url === undefined ? {} : { url: page.url }),
  provenance: {
    file: shard.path,
    offset: page.offset,
    ...(page.sizeBytes === undefined ? {} : { sizeBytes: page.sizeBytes }),
    ...(page.date === undefined ? {} : { date: page.date }),
    ...(page.contentType === undefined ? {} : { contentType: page.contentType }),
  },
  metadata: {},
  annotations: {},
});

function withUrl(document: Document, urls: Filter, funnel: Funnel): Document | undefined {
  const bytes = textBytes(document.text);
  countKept(funnel, "read", bytes);
  return allowed(document, urls, funnel, bytes) ? document : undefined;
}

function allowed(document: Document, urls: Filter, funnel: Funnel, bytes: number): boolean {
  const decision = urls.decide(document);
  if (decision.kept) countKept(funnel, "urls", bytes);
  else countDropped(funnel, "urls", decision.reason, bytes);
  return decision.kept;
}
