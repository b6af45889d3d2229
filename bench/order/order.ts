/**
 * How long does the related order of a corpus take, and how much memory, at a million documents? Synthetic text: topics of 40 documents
 * that share words, so that neighbors exist and are known; a tenth are exact copies.
 *   npx tsx --conditions source bench/order/order.ts [documents]
 */
import { relatedOrder, tfidfVectors } from "../../packages/perennial/src/mixture/order/index.ts";
import { stream } from "../../packages/perennial/src/stream.ts";

const documents = Number(process.argv[2] ?? 1_000_000);
const PER_TOPIC = 40;
const WORDS = 60;

/** Made again in each pass: the corpus itself is never in memory. */
function* corpus(): Generator<string> {
  let last = "";
  for (let d = 0; d < documents; d++) {
    if (d % 10 === 9) {
      yield last;
      continue;
    }
    const topic = (d * 2654435761) % Math.ceil(documents / PER_TOPIC);
    const random = stream(1, `document ${d}`);
    last = Array.from({ length: WORDS }, (_, i) => `w${i % 3 === 0 ? random.integer(5000) : topic * 31 + random.integer(40)}`).join(" ");
    yield last;
  }
}

const peak = () => Math.round(process.resourceUsage().maxRSS / 1024);
const begin = performance.now();
const seconds = () => ((performance.now() - begin) / 1000).toFixed(1);
const vectors = tfidfVectors({ [Symbol.iterator]: corpus });
console.log(JSON.stringify({ phase: "vectors", documents, seconds: seconds(), peakMebibytes: peak() }));
const { order, exactCopies, nearCopies, adjacentSimilarity, unrelatedJoins } = relatedOrder(vectors, { search: "approximate" });
console.log(
  JSON.stringify({
    phase: "order",
    seconds: seconds(),
    peakMebibytes: peak(),
    kept: order.length,
    exactCopies,
    nearCopies,
    adjacentSimilarity,
    unrelatedJoins,
  }),
);
