import { readdirSync } from "node:fs";
import { nn, tensor, torch } from "@perennial/torch";
import { expect, test } from "vitest";
import { type Decoder, generate, loadModel } from "../../model/index.ts";
import { stream } from "../../stream.ts";
import { type ScoreRequest, scoreContinuations } from "./score.ts";

const golden = (name: string) => new URL(`../../model/golden/${name}`, import.meta.url).pathname;
const families = readdirSync(golden("."));

/** Contexts of several lengths that begin alike, with two to four continuations of one to nine tokens. */
function randomRequests(vocabSize: number, prefixLength: number): ScoreRequest[] {
  const random = stream(7, "score-test");
  const ids = (length: number) => Array.from({ length }, () => random.integer(vocabSize));
  const prefix = ids(prefixLength);
  return Array.from({ length: 11 }, () => ({
    contextIds: [...prefix, ...ids(1 + random.integer(9))],
    continuations: Array.from({ length: 1 + random.integer(4) }, () => ids(1 + random.integer(6))),
  }));
}

/** One sequence, one pass, all logits. */
function plainScore(model: Decoder, contextIds: readonly number[], continuation: readonly number[]) {
  const input = [...contextIds, ...continuation.slice(0, -1)];
  const logProbabilities = torch.logSoftmax(model.logits({ inputIds: tensor([input], { dtype: "int64" }) }).float(), -1);
  return continuation.reduce((sum, id, i) => sum + logProbabilities.at(0, contextIds.length - 1 + i, id).item(), 0);
}

test.each(families)("%s: branches behind a shared context score as each text by itself, with the same bits in every batch", (name) => {
  const { model } = loadModel(golden(name));
  for (const prefixLength of [2, 19]) {
    const requests = randomRequests(model.config.vocabSize, prefixLength);
    const scores = scoreContinuations(model, requests, { batchSize: 8 });
    for (const [i, { contextIds, continuations }] of requests.entries())
      for (const [k, continuation] of continuations.entries())
        expect(Math.abs(scores[i]![k]!.logLikelihood - plainScore(model, contextIds, continuation)), `${i} ${k}`).toBeLessThan(1e-4);
    for (const batchSize of [1, 3]) expect(scoreContinuations(model, requests, { batchSize }), `batch ${batchSize}`).toEqual(scores);
  }
});

test("an empty continuation costs nothing; greedy continuations are told", () => {
  const { model } = loadModel(golden("llama3"));
  const [likely] = generate(model, [[1, 2, 3]], { maxNewTokens: 3 });
  const [[nothing, greedy, other]] = scoreContinuations(model, [
    { contextIds: [1, 2, 3], continuations: [[], likely!, [likely![0]!, (likely![1]! + 1) % model.config.vocabSize]] },
  ]) as [[{ logLikelihood: number; greedy: boolean }, { greedy: boolean }, { greedy: boolean }]];
  expect(nothing).toEqual({ logLikelihood: 0, greedy: true });
  expect([greedy.greedy, other.greedy]).toEqual([true, false]);
});

test("rows of a product keep their bits whatever stands beside them", () => {
  const [weight, x] = [torch.randn([300, 172]), torch.randn([130, 172])];
  const product = (rows: number) => nn.fixedRows(() => nn.linear(x.slice(0, 0, rows), weight, null));
  const all = product(130);
  for (const rows of [1, 3, 16, 64, 65, 129]) expect(product(rows).equal(all.slice(0, 0, rows)), `${rows} rows`).toBe(true);
  expect(all.isClose(torch.linear(x, weight, null), { relative: 1e-5, absolute: 1e-5 })).toBe(true);
});
