/**
 * How long does the related order of a corpus take, and how much memory, at a million documents? Synthetic text: topics of 40 documents
 * that share words, so that neighbors exist and are known; a tenth are exact copies, a tenth near copies.
 *   npx tsx --conditions source bench/order/order.ts [documents] [threads]
 */
import { setNumThreads } from "@perennial/torch";
import { relatedOrder, tfidfVectors } from "../../packages/perennial/src/mixture/order/index.ts";
import { stream } from "../../packages/perennial/src/stream.ts";

const documents = Number(process.argv[2] ?? 1_000_000);
const threads = Number(process.argv[3] ?? 1);
const PER_TOPIC = 40;
const WORDS = 60;
const NEIGHBORS = 20;

/** Of a copy: its original's. */
const topicOf = (d: number): number => ((d % 10 > 7 ? d - (d % 10) + 7 : d) * 2654435761) % Math.ceil(documents / PER_TOPIC);

/** Made again in each pass: the corpus itself is never in memory. */
function* corpus(): Generator<string> {
  let last = "";
  for (let d = 0; d < documents; d++) {
    if (d % 10 > 7) {
      yield d % 10 === 8 ? last : `${last} w${d}`;
      continue;
    }
    const topic = topicOf(d);
    const random = stream(1, `document ${d}`);
    last = Array.from({ length: WORDS }, (_, i) => `w${i % 3 === 0 ? random.integer(5000) : topic * 31 + random.integer(40)}`).join(" ");
    yield last;
  }
}

let begin = performance.now();
function tell(phase: string, what: Record<string, unknown>): void {
  const { maxRSS } = process.resourceUsage();
  const seconds = Number(((performance.now() - begin) / 1000).toFixed(1));
  console.log(JSON.stringify({ phase, seconds, peakMebibytes: Math.round(maxRSS / 1024), ...what }));
  begin = performance.now();
}

setNumThreads(threads);
const vectors = tfidfVectors({ [Symbol.iterator]: corpus });
tell("vectors", { documents, threads });
const { order, exactCopies, nearCopies, adjacentSimilarity, unrelatedJoins } = relatedOrder(vectors, {
  neighbors: NEIGHBORS,
  search: "approximate",
});
const sameTopic = order.slice(1).filter((d, i) => topicOf(d) === topicOf(order[i]!)).length / Math.max(1, order.length - 1);
tell("order", { kept: order.length, exactCopies, nearCopies, adjacentSimilarity, unrelatedJoins, sameTopic });
