/**
 * What stands for a family: its fixture, a tiny model with logits, gradients and greedy text as transformers computes them
 * (tools/golden/decoder.py), taken through everything that a user does with a model.
 */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { manualSeed, nn, openSafetensors, optim, type Tensor, torch } from "@perennial/torch";
import { loraDelta, mergeAdapterFolder, readAdapter, writeAdapter } from "perennial/adapt";
import {
  type Decoder,
  generate,
  type LoadedModel,
  loadModel,
  openWeights,
  readConfig,
  saveModel,
  toTheirs,
  weightsOf,
  writeGgufModel,
} from "perennial/model";

/** True, or why not in one line. */
export type Verdict = true | string;

export interface Row {
  readonly fixture: string;
  readonly modelType: string;
  readonly rope: string;
  readonly slidingWindow: number | null;
  readonly verdicts: Readonly<Record<Column, Verdict>>;
}

export const golden = new URL("../../packages/perennial/src/model/golden/", import.meta.url).pathname;
export const fixtures: readonly string[] = readdirSync(golden).sort();

interface Case {
  /** The fixture's folder. */
  readonly source: string;
  readonly reference: ReturnType<typeof openSafetensors>;
  /** A folder of its own. */
  readonly work: string;
  open(): LoadedModel;
}

const near = (actual: Tensor, expected: Tensor, scale = 1) => actual.isClose(expected, { relative: 1e-4, absolute: 1e-4 * scale });
const sameTensors = (one: string, other: string, except = new Set<string>()) => {
  const [a, b] = [openWeights(one), openWeights(other)];
  try {
    if ([...a.names].sort().join() !== [...b.names].sort().join()) return false;
    return a.names.every((name) => except.has(name) || a.read(name).equal(b.read(name)));
  } finally {
    a.close();
    b.close();
  }
};
const must = (stands: boolean, otherwise: string): Verdict => stands || otherwise;

function lossOf(model: Decoder, ids: Tensor): Tensor {
  const logits = model.logits({ inputIds: ids }).slice(1, 0, ids.size(1) - 1);
  return nn.crossEntropy(logits.reshape([-1, model.config.vocabSize]), ids.slice(1, 1).reshape([-1]));
}

const columns = {
  load: ({ open }: Case) => must(open().model.parameters.length > 0, "no parameters"),
  logits: ({ open, reference }: Case) => {
    const logits = open().model.logits({ inputIds: reference.read("ids") });
    return must(near(logits, reference.read("logits")), "logits differ");
  },
  train: ({ open, reference }: Case) => {
    const { model } = open();
    const ids = reference.read("ids");
    const before = lossOf(model, ids);
    before.backward();
    const gradients = toTheirs(weightsOf(model.config), new Map(model.namedParameters().map(([path, { grad }]) => [path, grad!])));
    for (const [name, gradient] of gradients) {
      const expected = reference.read(`grad.${name}`);
      if (!near(gradient, expected, expected.abs().max().item())) return `gradient of ${name} differs`;
    }
    new optim.AdamW(model.parameters, { learningRate: 1e-3 }).step();
    return must(lossOf(model, ids).item() < before.item(), "the loss did not fall");
  },
  generate: ({ open, reference }: Case) => {
    const prompts = reference.read("ids").slice(1, 0, 5).toArray() as number[][];
    const greedy = reference.read("greedy");
    const ours = generate(open().model, prompts, { maxNewTokens: greedy.size(1) });
    return must(JSON.stringify(ours) === JSON.stringify(greedy.toArray()), "other tokens");
  },
  save: ({ open, source, work }: Case) => {
    const { model, rawConfig } = open();
    saveModel(join(work, "saved"), model, { rawConfig });
    return must(sameTensors(source, join(work, "saved")), "other bits");
  },
  gguf: ({ source, reference, work }: Case) => {
    const path = join(work, "model.gguf");
    writeGgufModel(source, path, { type: "F32", name: "fixture" });
    const logits = loadModel(path).model.logits({ inputIds: reference.read("ids") });
    return must(near(logits, reference.read("logits")), "logits differ");
  },
  lora: async ({ open, source, reference, work }: Case) => {
    const adapter = join(work, "adapter");
    const names = writeRandomAdapter(source, adapter);
    await mergeAdapterFolder(source, adapter, join(work, "tuned"));
    if (!sameTensors(source, join(work, "tuned"), new Set(names.map((name) => `${name}.weight`)))) return "other weights changed";
    const [before, after] = [openWeights(source), openWeights(join(work, "tuned"))];
    const lora = readAdapter(adapter);
    const exact = names.every((name) => after.read(`${name}.weight`).equal(before.read(`${name}.weight`).add(loraDelta(lora, name))));
    before.close();
    after.close();
    if (!exact) return "not W + s B A";
    const ids = reference.read("ids");
    const moved = loadModel(join(work, "tuned")).model.logits({ inputIds: ids });
    return must(!near(moved, open().model.logits({ inputIds: ids })), "the adapter changes nothing");
  },
} satisfies Record<string, (given: Case) => Verdict | Promise<Verdict>>;

export type Column = keyof typeof columns;
export const columnNames = Object.keys(columns) as Column[];

/** Rank 2 on every matrix of the first layer; returns the modules' names. */
function writeRandomAdapter(source: string, folder: string): string[] {
  const reader = openWeights(source);
  // GPT-2 stores inputs × outputs.
  const turned = readConfig(source).config.modelType === "gpt2";
  const matrices = reader.names.filter((name) => /(^|\.)(layers|h)\.0\..*\.weight$/.test(name) && reader.describe(name).shape.length === 2);
  manualSeed(1);
  const modules = new Map(
    matrices.map((name) => {
      const [first, second] = reader.describe(name).shape as [number, number];
      const [out, inputs] = turned ? [second, first] : [first, second];
      return [name.replace(/\.weight$/, ""), { a: torch.randn([2, inputs]), b: torch.randn([out, 2]), kind: "linear" as const }];
    }),
  );
  reader.close();
  const rawConfig = { r: 2, lora_alpha: 1, fan_in_fan_out: turned, target_modules: [...modules.keys()] };
  writeAdapter(folder, { rawConfig, modules, saved: new Map() });
  return [...modules.keys()];
}

export async function checkFixture(fixture: string, source = join(golden, fixture)): Promise<Row> {
  const work = mkdtempSync(join(tmpdir(), "perennial-compatibility-"));
  const reference = openSafetensors(join(source, "golden.safetensors"));
  try {
    const given: Case = { source, reference, work, open: () => loadModel(source) };
    const verdictOf = async (column: Column): Promise<Verdict> => {
      try {
        return await columns[column](given);
      } catch (error) {
        return (error as Error).message.split("\n")[0]!.replaceAll(`${source} `, "").replaceAll(source, fixture);
      }
    };
    const verdicts = {} as Record<Column, Verdict>;
    for (const column of columnNames) verdicts[column] = await verdictOf(column);
    const { config } = readConfig(source);
    const rope = config.position === "rotary" ? (config.ropeScaling?.type ?? "none") : config.position;
    return { fixture, modelType: config.modelType, rope, slidingWindow: config.slidingWindow, verdicts };
  } finally {
    reference.close();
    rmSync(work, { recursive: true });
  }
}

export async function checkAll(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const fixture of fixtures) rows.push(await checkFixture(fixture));
  return rows;
}
