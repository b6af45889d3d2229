/**
 * How many sequences a second does the sampler give, and how long does it take to resume?
 * Two corpora in shards on the disk (uint16, documents of 20 to 1,500 tokens), shuffled, blended 3 : 1, packed within documents.
 * `npx tsx bench/sampler/sampler.ts [tokens per corpus]`
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ShardedCorpus, tokenizeCorpus } from "../../packages/perennial/src/data/index.ts";
import { MixtureSource, pack } from "../../packages/perennial/src/mixture/index.ts";
import { stream } from "../../packages/perennial/src/stream.ts";

const tokens = Number(process.argv[2] ?? 20_000_000);
const folder = mkdtempSync(join(tmpdir(), "sampler-"));

async function main(): Promise<void> {
  const corpora = [];
  for (const name of ["old", "new"]) {
    const random = stream(1, name);
    let lines = "";
    for (let made = 0; made < tokens; ) {
      const length = 20 + random.integer(1480);
      lines += `{"text":"${"abcdefgh ".repeat(length).slice(0, length)}"}\n`;
      made += length;
    }
    writeFileSync(join(folder, `${name}.jsonl`), lines);
    const encoder = new TextEncoder();
    const tokenizer = {
      vocabSize: 50_000,
      hash: "bench",
      eosTokenId: 0,
      encodeBatch(texts: readonly string[]) {
        const offsets = [0];
        for (const text of texts) offsets.push(offsets.at(-1)! + text.length);
        return { ids: new Uint32Array(encoder.encode(texts.join(""))), offsets };
      },
    };
    const started = performance.now();
    const shards = await tokenizeCorpus({ paths: [join(folder, `${name}.jsonl`)], shardsFolder: join(folder, "shards"), tokenizer });
    console.log(
      `${name}: read, hashed and written at ${(tokens / 1e3 / (performance.now() - started)).toFixed(0)} MB/s of text (ids are bytes)`,
    );
    corpora.push({ name, corpus: ShardedCorpus.open(shards), share: name === "new" ? 3 : 1 });
  }
  for (const sequenceLength of [128, 1024, 4096]) {
    for (const packing of ["concatenate", "best-fit"] as const) {
      const sources = corpora.map(({ name, corpus, share }) => ({ name, share, packed: pack(corpus, { sequenceLength, packing }) }));
      const source = new MixtureSource({ sources, seed: 1, microBatchSize: 8 });
      source.next(50);
      const rounds = Array.from({ length: 5 }, () => {
        const started = performance.now();
        for (let step = 0; step < 20; step++) source.next(8);
        return (20 * 8 * 8) / ((performance.now() - started) / 1000);
      }).sort((a, b) => a - b);
      const median = rounds[2]!;
      const state = JSON.stringify(source.state());
      const started = performance.now();
      const resumed = new MixtureSource({ sources, seed: 2, microBatchSize: 8 });
      resumed.restore(JSON.parse(state));
      resumed.next(1);
      const resume = performance.now() - started;
      console.log(
        `T ${sequenceLength}, ${packing}: ${Math.round(median)} sequences/s, ${((median * sequenceLength) / 1e6).toFixed(1)} M tokens/s; ` +
          `state ${state.length} bytes; resume and first batch ${resume.toFixed(2)} ms`,
      );
    }
  }
  rmSync(folder, { recursive: true });
}

await main();
