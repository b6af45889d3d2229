/** Rows of new tokens apart from the rest, in the loop. */
import { manualSeed, optim, setNumThreads, type Tensor } from "@perennial/torch";
import { beforeAll, describe, expect, test } from "vitest";
import { type Adaptation, full, type NewRowsOptions, newRows } from "../adapt/index.ts";
import { Decoder, decoderConfig } from "../model/index.ts";
import { causal } from "../objective/index.ts";
import { type LoopParts, type LoopSettings, type StepReport, trainLoop } from "./loop.ts";
import { numberedSource } from "./testing/numbered-source.ts";

beforeAll(() => setNumThreads(1));

const [V, FIRST] = [40, 29];
const values = (tensor: Tensor) => [...tensor.detach().contiguous().toFloat32Array()];

interface Run {
  readonly tied: boolean;
  /** Undefined: everything, uncut. */
  readonly rows?: Partial<NewRowsOptions>;
  readonly settings?: Partial<LoopSettings>;
}

async function train({ tied, rows, settings = {} }: Run) {
  manualSeed(5);
  // An odd width: rows do not begin where the kernels' vectors do.
  const model = new Decoder(
    decoderConfig({
      ...{ vocabSize: V, hiddenSize: 18, numHiddenLayers: 2, numAttentionHeads: 3, headDim: 6, intermediateSize: 20 },
      tieWordEmbeddings: tied,
    }),
  );
  const before = new Map([...model.stateDict()].map(([name, weight]) => [name, values(weight)]));
  const adaptation: Adaptation =
    rows === undefined ? full(model) : newRows(model, { firstId: FIRST, learningRateScale: 1, aloneSteps: 0, ...rows });
  const optimizer = new optim.AdamW(
    adaptation.parameterSets.map(({ name, parameters, weightDecay = 0.1 }) => ({ name, parameters, weightDecay })),
    { learningRate: 0 },
  );
  const parts: LoopParts = {
    ...{ model, source: numberedSource({ B: 2, T: 8, vocabSize: V }), objective: causal({ zLoss: 0 }), adaptation, optimizer },
    ...{ schedule: (step) => 0.01 * (step + 1), rules: [] },
  };
  const reports: StepReport[] = [];
  const whole: LoopSettings = {
    totalSteps: 5,
    microBatches: 2,
    maxGradNorm: 0.3,
    autocastDtype: "float32",
    activationCheckpointing: false,
  };
  await trainLoop(parts, { ...whole, ...settings }, 0, (report) => {
    reports.push(report);
    return "continue";
  });
  const after = new Map([...model.stateDict()].map(([name, weight]) => [name, values(weight)]));
  return { model, before, after, reports, optimizer };
}

const tables = (tied: boolean) => (tied ? ["embedTokens.weight"] : ["embedTokens.weight", "lmHead.weight"]);
const oldPart = (weights: readonly number[]) => weights.slice(0, FIRST * 18);
const newPart = (weights: readonly number[]) => weights.slice(FIRST * 18);

describe.each([true, false])("tied: %s", (tied) => {
  test.each([
    ["float32", false],
    ["bfloat16", false],
    ["float32", true],
  ] as const)("the same rate is the same training, bit for bit (%s, recomputed: %s)", async (autocastDtype, activationCheckpointing) => {
    const settings = { autocastDtype, activationCheckpointing };
    const [uncut, cut] = [await train({ tied, settings }), await train({ tied, settings, rows: {} })];
    expect(cut.after).toEqual(uncut.after);
    expect(cut.reports.map(({ loss, gradNorm }) => [loss, gradNorm])).toEqual(uncut.reports.map(({ loss, gradNorm }) => [loss, gradNorm]));
    expect(uncut.after).not.toEqual(uncut.before);
  });

  test.each(["float32", "bfloat16"] as const)("alone, nothing else moves by a bit (%s)", async (autocastDtype) => {
    const { before, after, optimizer, model } = await train({ tied, rows: { aloneSteps: 9 }, settings: { autocastDtype } });
    for (const [name, weights] of after) {
      const isTable = tables(tied).includes(name);
      expect(isTable ? oldPart(weights) : weights, name).toEqual(isTable ? oldPart(before.get(name)!) : before.get(name));
      if (!isTable) continue;
      const [then, now] = [newPart(before.get(name)!), newPart(weights)];
      expect(now.every((weight, i) => weight !== then[i])).toBe(true);
    }
    // Moments of the new rows and of nothing else.
    const { tensors, parameterSteps } = optimizer.state();
    expect([...tensors.values()].map(({ shape }) => shape)).toEqual(
      tables(tied).flatMap(() => [
        [V - FIRST, 18],
        [V - FIRST, 18],
      ]),
    );
    expect(parameterSteps!.map((steps) => Math.max(...steps))).toEqual([0, 0, 5]);
    expect(model.parameters.every((parameter) => parameter.requiresGrad && parameter.grad === null)).toBe(true);
  });

  test("the norm that is clipped is that of the rows that move", async () => {
    const one = { totalSteps: 1, maxGradNorm: null };
    const { reports } = await train({ tied, rows: { aloneSteps: 1 }, settings: one });
    const { model } = await train({ tied, settings: { ...one, totalSteps: 0 } });
    const batches = numberedSource({ B: 2, T: 8, vocabSize: V }).next(2);
    for (const batch of batches) {
      const { lossSum } = causal({ zLoss: 0 }).lossSum(model, batch, { activationCheckpointing: false });
      lossSum.div(batches.reduce((sum, { targetTokens }) => sum + targetTokens, 0)).backward();
    }
    const gradients = (tied ? [model.embedTokens.weight] : [model.embedTokens.weight, model.lmHead!.weight]).flatMap(({ grad }) =>
      newPart(values(grad!)),
    );
    expect(reports[0]!.gradNorm).toBeCloseTo(Math.hypot(...gradients), 5);
  });

  test("first alone, then everything, each with a step count of its own", async () => {
    const { after, before, optimizer } = await train({ tied, rows: { aloneSteps: 2 } });
    for (const [name, weights] of after) expect(weights, name).not.toEqual(before.get(name));
    const { parameterSteps } = optimizer.state();
    expect(parameterSteps!.map((steps) => [...new Set(steps)])).toEqual([[3], [3], [5]]);
    // What the others do after that begins with their first step: as if they had come later.
    const early = await train({ tied, rows: { aloneSteps: 2 }, settings: { totalSteps: 2 } });
    expect(oldPart(early.after.get("embedTokens.weight")!)).toEqual(oldPart(before.get("embedTokens.weight")!));
  });

  test("a rate of their own scales the schedule and nothing else", async () => {
    // The first step of Adam is η · (g / (|g| + ε) + λ w): in proportion to the rate.
    const rate = async (learningRateScale: number) => {
      const { before, after } = await train({ tied, rows: { learningRateScale }, settings: { totalSteps: 1, maxGradNorm: null } });
      const name = tables(tied).at(-1)!;
      const moved = (part: typeof oldPart) => ({ start: part(before.get(name)!), end: part(after.get(name)!) });
      return { old: moved(oldPart), fresh: moved(newPart) };
    };
    const [one, five] = [await rate(1), await rate(5)];
    expect(five.old.end).toEqual(one.old.end);
    for (const [i, start] of five.fresh.start.entries()) {
      const [step, scaled] = [one.fresh.end[i]! - start, five.fresh.end[i]! - start];
      expect(Math.abs(scaled - 5 * step)).toBeLessThan(1e-5);
    }
  });
});

test("a first id that the model has no row for is refused", () => {
  const model = new Decoder(decoderConfig({ vocabSize: 8, hiddenSize: 8, numHiddenLayers: 1, numAttentionHeads: 2 }));
  for (const firstId of [-1, 8, 1.5]) expect(() => newRows(model, { firstId, learningRateScale: 1, aloneSteps: 0 })).toThrow(/firstId/);
});
