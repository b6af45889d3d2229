/**
 * Corpora whose documents a stage reads in an order of its own: by perplexity (a curriculum) or beside related ones. An order is made once,
 * before the first step, and kept beside the tokens under the hash of all it comes from, so that a resumed run, and the next one, find it.
 */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomic } from "../corpus/formats/index.ts";
import { documentStart, type TokenCorpus } from "../data/index.ts";
import { FieldError } from "../errors.ts";
import { evaluateHeldOut } from "../evaluate/model/index.ts";
import { curriculumOrder, OrderedCorpus, relatedOrder, searchOf, selectRows, tfidfVectors, withoutCopiesOf } from "../mixture/index.ts";
import type { Decoder } from "../model/index.ts";
import type { Recipe } from "../recipe/index.ts";
import { hashPath, hashText } from "../store/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import type { PreparedCorpus } from "./corpora.ts";

type SourceOrder = Recipe["stages"][number]["mixture"]["sources"][number]["order"];
type SpecialOrder = Exclude<SourceOrder, string>;

export interface OrderOptions {
  readonly tokenizer: Tokenizer;
  readonly cacheFolder: string;
  /** Of the model that the recipe starts from; null for a fresh one, which has no opinion on text yet. */
  readonly modelPath: string | null;
  readonly loadModel: () => Decoder;
  readonly note: (text: string) => void;
}

export const orderKey = (order: SpecialOrder): string => JSON.stringify(order);

/** The corpora, each with the orders that some stage asks for. */
export async function orderSources(
  recipe: Recipe,
  corpora: ReadonlyMap<string, PreparedCorpus>,
  options: OrderOptions,
): Promise<Map<string, PreparedCorpus>> {
  const result = new Map(corpora);
  for (const [position, { mixture, train }] of recipe.stages.entries())
    for (const [i, { corpus, order }] of mixture.sources.entries()) {
      if (typeof order === "string") continue;
      const prepared = result.get(corpus)!;
      if (prepared.ordered?.has(orderKey(order)) === true) continue;
      const at = `stages[${position}].mixture.sources[${i}].order`;
      const made = await orderOf(prepared, order, { ...options, at, seed: recipe.seed, sequenceLength: train.sequenceLength });
      result.set(corpus, {
        ...prepared,
        ordered: new Map([...(prepared.ordered ?? []), [orderKey(order), new OrderedCorpus(prepared.train, made)]]),
      });
    }
  return result;
}

interface OneOrder extends OrderOptions {
  readonly at: string;
  readonly seed: number;
  readonly sequenceLength: number;
}

async function orderOf(prepared: PreparedCorpus, order: SpecialOrder, options: OneOrder): Promise<Uint32Array> {
  const { cacheFolder, at, seed, modelPath, sequenceLength } = options;
  if (order.order === "perplexity" && modelPath === null)
    throw new FieldError("ORDER_MODEL", {
      at,
      expected: "a model to continue from, whose perplexity orders the documents",
      received: "a fresh model",
      todo: "write `order: shuffled`, or name a model",
    });
  const from = order.order === "perplexity" ? [(await hashPath(modelPath!)).hash, sequenceLength] : [prepared.heldOut?.hash ?? null];
  const hash = hashText(JSON.stringify([2, prepared.train.hash, order, seed, from]));
  const file = join(cacheFolder, "orders", `${hash.slice(0, 16)}.u32`);
  if (existsSync(file)) {
    const bytes = readFileSync(file);
    return new Uint32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  }
  const made = order.order === "perplexity" ? byPerplexity(prepared, order.direction, options) : byRelation(prepared, order, options);
  mkdirSync(join(cacheFolder, "orders"), { recursive: true });
  writeFileAtomic(file, new Uint8Array(made.buffer, made.byteOffset, made.byteLength));
  return made;
}

/** Mean loss of each document's first window: what fits the context is what is scored. */
function byPerplexity({ name, train }: PreparedCorpus, direction: "lowToHigh" | "highToLow" | "random", options: OneOrder): Uint32Array {
  const { note, tokenizer, loadModel, seed, sequenceLength } = options;
  if (direction === "random") return curriculumOrder(new Float64Array(train.numDocuments), { order: direction, seed });
  note(`scoring ${train.numDocuments} documents of ${name} by the start model`);
  const model = loadModel();
  try {
    const all = Uint32Array.from({ length: train.numDocuments }, (_, document) => document);
    const heads = new OrderedCorpus(train, all, sequenceLength);
    const { byDocument } = evaluateHeldOut(model, heads, {
      sequenceLength,
      batchSize: 8,
      prefixTokenId: tokenizer.specialTokens.bos ?? tokenizer.specialTokens.eos,
    });
    return curriculumOrder(
      byDocument.map(({ lossSum }, document) => lossSum / Math.max(1, heads.documentEnd(document) - documentStart(heads, document))),
      { order: direction, seed },
    );
  } finally {
    model.dispose();
  }
}

function byRelation(
  { name, train, heldOut }: PreparedCorpus,
  { order: _, ...spec }: Extract<SpecialOrder, { order: "related" }>,
  { tokenizer, note, seed }: OneOrder,
): Uint32Array {
  const started = performance.now();
  const held = heldOut?.numDocuments ?? 0;
  const checksHeldOut = held > 0 && spec.nearCopyCosine !== "keep";
  const heldOutSearch = searchOf(spec, held * train.numDocuments);
  const texts = {
    *[Symbol.iterator]() {
      yield* textsOf(train, tokenizer);
      if (checksHeldOut) yield* textsOf(heldOut!, tokenizer);
    },
  };
  const { dimensions, data } = tfidfVectors(texts);
  const split = train.numDocuments * dimensions;
  const vectors = { dimensions, data: data.subarray(0, split) };
  const leaks = checksHeldOut
    ? withoutCopiesOf({ dimensions, data: data.slice(split) }, vectors, spec.nearCopyCosine as number, heldOutSearch)
    : { kept: new Uint8Array(train.numDocuments).fill(1), removed: 0 };
  const numbers = Uint32Array.from(leaks.kept.keys()).filter((document) => leaks.kept[document] === 1);
  const related = relatedOrder(leaks.removed === 0 ? vectors : selectRows(vectors, numbers), { ...spec, seed });
  const compared = (search: "exact" | "approximate") => (search === "exact" ? "" : ", found through inverted lists");
  note(
    `order of ${name}: ${related.order.length} of ${train.numDocuments} documents; left out ${related.exactCopies} copies, ` +
      `${related.nearCopies} near copies${compared(related.search)}, ` +
      `${checksHeldOut ? `${leaks.removed} near copies of held-out text${compared(heldOutSearch)}` : "copies of held-out text not looked for"}; adjacent similarity ` +
      `${related.adjacentSimilarity.toFixed(3)}, ${(100 * related.unrelatedJoins).toFixed(1)} % unrelated joins; ${((performance.now() - started) / 1000).toFixed(1)} s`,
  );
  for (const warning of related.warnings) note(`order of ${name}: ${warning}`);
  return related.order.map((row) => numbers[row]!);
}

function* textsOf(corpus: TokenCorpus, tokenizer: Tokenizer): Generator<string> {
  for (let document = 0; document < corpus.numDocuments; document++) {
    const start = documentStart(corpus, document);
    const ids = new Int32Array(corpus.documentEnd(document) - start);
    corpus.read(start, ids.length, ids, 0);
    yield tokenizer.decode([...ids], { skipSpecialTokens: true });
  }
}
