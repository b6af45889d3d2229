/** One variant of a recipe, from the model as it comes to the model that has learned: stages, measurements, checkpoints. */
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { manualSeed, optim } from "@perennial/torch";
import { full } from "../adapt/index.ts";
import { PerennialError } from "../errors.ts";
import { evaluateHeldOut } from "../evaluate/model/index.ts";
import type { SeenSource } from "../mixture/index.ts";
import type { HuggingFaceConfig } from "../model/config.ts";
import { checkMemory, type Decoder, generate, loadModel, saveModel, trainingFlopsPerToken, trainingMemory } from "../model/index.ts";
import { causal } from "../objective/index.ts";
import { type Plan, planOf, type Recipe, type RecipeStage } from "../recipe/index.ts";
import { hashPath, hashText, METRICS, type Moment, type Recorder } from "../store/index.ts";
import { stream } from "../stream.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import { type Checkpoint, listCheckpoints, pruneCheckpoints, restoreParts, saveCheckpoint } from "../train/checkpoint.ts";
import { chooseAutocastDtype, measurePeakFlops } from "../train/hardware.ts";
import { LoopInterruption, type StepReport, trainLoop } from "../train/loop.ts";
import type { Rule } from "../train/rule.ts";
import { resolveSchedule, type Schedule, type ScheduleOptions, toSchedule } from "../train/schedule/index.ts";
import { singleProcess, type World } from "../train/world.ts";
import type { PreparedCorpus } from "./corpora.ts";
import type { Listener } from "./events.ts";
import { stageSource } from "./mixture.ts";
import { makeRule } from "./rules.ts";

export interface VariantOptions {
  readonly recipe: Recipe;
  readonly recipeText: string;
  readonly folder: string;
  readonly tokenizer: Tokenizer;
  readonly corpora: ReadonlyMap<string, PreparedCorpus>;
  readonly startModel: () => { model: Decoder; rawConfig: HuggingFaceConfig; path: string | null };
  readonly recorder: Recorder;
  readonly resumeFrom: Checkpoint | undefined;
  readonly until: number | undefined;
  readonly listen: Listener;
  /** Aborted: finish the step, save, leave. */
  readonly signal: AbortSignal | undefined;
  readonly world?: World;
}

export interface VariantResult {
  readonly status: "finished" | "stopped";
  readonly reason: string | null;
  /** Folder of the final model; null when the run stopped before its end. */
  readonly modelFolder: string | null;
  readonly before: ReadonlyMap<string, number>;
  readonly after: ReadonlyMap<string, number>;
}

export const recipeHash = (recipe: Recipe): string => hashText(JSON.stringify(recipe));

export async function runVariant(options: VariantOptions): Promise<VariantResult> {
  return new VariantRun(options).run();
}

class Left extends Error {}

class VariantRun {
  private readonly options: VariantOptions;
  private readonly plan: Plan;
  private readonly world: World;
  private readonly autocastDtype;
  private readonly peakFlops: number;
  private model!: Decoder;
  private rawConfig!: HuggingFaceConfig;
  private parentHash: string | undefined;
  private tokens = 0;
  private memory: SeenSource[] = [];
  private before = new Map<string, number>();
  private latest = new Map<string, number>();

  constructor(options: VariantOptions) {
    this.options = options;
    this.world = options.world ?? singleProcess;
    this.plan = planOf(options.recipe, { worldSize: this.world.size });
    const chosen = chooseAutocastDtype(options.recipe.stages[0]!.train.autocastDtype);
    this.autocastDtype = chosen.value;
    this.peakFlops = measurePeakFlops(chosen.value);
    options.listen({
      kind: "note",
      text: `computing in ${chosen.value}: ${chosen.because}; matrix products reach ${(this.peakFlops / 1e9).toFixed(0)} GFLOP/s here`,
    });
  }

  async run(): Promise<VariantResult> {
    const { recipe, recorder, resumeFrom, listen, folder } = this.options;
    manualSeed(recipe.seed);
    await this.start();
    let status: VariantResult["status"] = "finished";
    let reason: string | null = null;
    let modelFolder: string | null = null;
    try {
      if (resumeFrom === undefined) {
        this.before = this.measure(0, 0, "before");
        this.writeSamples(0, "before");
      }
      let previous: { optimizer: optim.AdamW; options: ScheduleOptions; offset: number; steps: number } | undefined;
      for (const [position, stage] of recipe.stages.entries()) {
        if (resumeFrom !== undefined && position < resumeFrom.state.stage) continue;
        previous = await this.stage(stage, position, previous);
        modelFolder = await this.saveStageModel(stage, position);
      }
      previous?.optimizer.dispose();
    } catch (error) {
      if (!(error instanceof Left)) throw error;
      status = "stopped";
      reason = error.message;
    }
    recorder.end(status, reason);
    if (modelFolder !== null) listen({ kind: "finished", variant: recipe.variant, modelFolder });
    if (status === "stopped") listen({ kind: "warning", text: `${reason}. Run the same command with --resume to go on from ${folder}.` });
    const result = { status, reason, modelFolder: status === "finished" ? modelFolder : null, before: this.before, after: this.latest };
    this.model.dispose();
    return result;
  }

  private async start(): Promise<void> {
    const { recipe, tokenizer, recorder, resumeFrom, startModel } = this.options;
    if (resumeFrom !== undefined) {
      const { model, rawConfig } = loadModel(join(resumeFrom.folder, "model"));
      [this.model, this.rawConfig] = [model, rawConfig];
      this.tokens = resumeFrom.state.tokens;
      this.memory = resumeFrom.state.memory as SeenSource[];
      this.before = new Map(Object.entries(resumeFrom.state.before));
    } else {
      const { model, rawConfig, path } = startModel();
      [this.model, this.rawConfig] = [model, rawConfig];
      if (path !== null) {
        const content = await hashPath(path);
        recorder.input({ ...content, kind: "model", name: recipe.name, path });
        this.parentHash = content.hash;
      }
    }
    const { config } = this.model;
    if (tokenizer.vocabSize > config.vocabSize)
      throw new PerennialError(
        "MODEL_SIZES",
        `The tokenizer knows ${tokenizer.vocabSize} tokens but the model has rows for ${config.vocabSize}; use the model's own tokenizer.`,
      );
    for (const { train } of recipe.stages) checkMemory(trainingMemory(config, train));
  }

  private async stage(
    stage: RecipeStage,
    position: number,
    previous: { optimizer: optim.AdamW; options: ScheduleOptions; offset: number; steps: number } | undefined,
  ) {
    const { recipe, corpora, recorder, resumeFrom, listen } = this.options;
    const planned = this.plan.stages[position]!;
    const { train } = stage;
    const source = stageSource({
      stage,
      planned,
      corpora,
      memory: this.memory,
      seed: recipe.seed + position,
      rank: this.world.rank,
      worldSize: this.world.size,
    });
    const adaptation = full(this.model);
    const { beta1, beta2, eps, weightDecay } = train.optimizer;
    const keepsOptimizer = stage.onStart.optimizer === "keep" && previous !== undefined;
    if (!keepsOptimizer) previous?.optimizer.dispose();
    const optimizer = keepsOptimizer
      ? previous!.optimizer
      : new optim.AdamW(
          adaptation.parameterSets.map((set) => ({
            name: set.name,
            parameters: set.parameters,
            ...(set.weightDecay === undefined ? {} : { weightDecay: set.weightDecay }),
          })),
          { learningRate: 0, beta1, beta2, eps, weightDecay },
        );
    const { schedule, options: scheduleOptions, offset } = this.scheduleOf(stage, planned.steps, previous);
    const rules = stage.rules.map((rule) => makeRule(rule, this.model));
    let startStep = 0;
    if (resumeFrom !== undefined && resumeFrom.state.stage === position) {
      restoreParts(resumeFrom, { optimizer, rules });
      source.restore(resumeFrom.state.source as ReturnType<typeof source.state>);
      startStep = resumeFrom.state.stageStep;
    } else {
      recorder.stageStarted(position, stage.name, planned.startStep);
    }
    listen({ kind: "stage", name: stage.name, steps: planned.steps, tokens: planned.tokens });
    const parts = {
      model: this.model,
      source,
      objective: causal({ zLoss: train.zLoss }),
      adaptation,
      optimizer,
      schedule,
      rules,
      world: this.world,
    };
    const settings = {
      totalSteps: planned.steps,
      microBatches: planned.gradientAccumulationSteps,
      maxGradNorm: train.maxGradNorm,
      autocastDtype: this.autocastDtype,
      activationCheckpointing: train.activationCheckpointing,
    };
    const save = (stageStep: number, score: number | null) => {
      recorder.flush();
      const state = {
        recipeHash: recipeHash(recipe),
        stage: position,
        stageStep,
        step: planned.startStep + stageStep,
        tokens: this.tokens,
        source: source.state(),
        memory: this.memory,
        before: Object.fromEntries(this.before),
        score,
      };
      const saved = saveCheckpoint(this.options.folder, { model: this.model, rawConfig: this.rawConfig, optimizer, rules }, state);
      pruneCheckpoints(this.options.folder, recipe.checkpoints.keepLast, recipe.checkpoints.keepBest);
      listen({ kind: "checkpoint", step: state.step, folder: saved });
    };
    const flopsPerToken = trainingFlopsPerToken(this.model.config, train.sequenceLength);
    const meter = new SpeedMeter();
    const afterStep = async (report: StepReport) => {
      this.tokens += report.targetTokens;
      const step = planned.startStep + report.step;
      this.record(step, report, source.shares(), meter, flopsPerToken, stage);
      let score: number | null = null;
      const isLast = report.step === planned.steps;
      if (isDue(recipe.evaluate.everySteps, report.step) && !isLast) score = this.measureDuring(step, position, rules, report.step, save);
      const left = this.options.until !== undefined && step >= this.options.until && step < this.plan.totalSteps;
      const aborted = this.options.signal?.aborted === true;
      if (isDue(recipe.checkpoints.everySteps, report.step) || isLast || left || aborted) save(report.step, score);
      if (aborted || left) throw new Left(aborted ? `interrupted after step ${step}` : `stopped after step ${step} as asked`);
      // Lets signals and timers in.
      await new Promise((done) => setImmediate(done));
      return "continue" as const;
    };
    await this.loop(parts, settings, startStep, afterStep, position, save);
    this.memory = source.memory(this.memory);
    this.latest = this.measure(planned.startStep + planned.steps, position, "after");
    this.writeSamples(planned.startStep + planned.steps, "after");
    recorder.stageEnded(position, planned.startStep + planned.steps, this.tokens);
    return { optimizer, options: scheduleOptions, offset, steps: planned.steps };
  }

  /** Runs the loop; a rollback loads the newest checkpoint and goes on behind the data that led there. */
  private async loop(
    parts: Parameters<typeof trainLoop>[0],
    settings: Parameters<typeof trainLoop>[1],
    startStep: number,
    afterStep: Parameters<typeof trainLoop>[3],
    position: number,
    save: (stageStep: number, score: number | null) => void,
  ): Promise<void> {
    const { recorder, folder } = this.options;
    for (let from = startStep; ; ) {
      try {
        await trainLoop(parts, settings, from, afterStep);
        return;
      } catch (error) {
        if (!(error instanceof LoopInterruption)) throw error;
        const { verdict, step } = error;
        const runStep = this.plan.stages[position]!.startStep + step;
        recorder.event(runStep, verdict.action, verdict.reason);
        if (verdict.action === "stop") {
          save(step, null);
          throw new Left(verdict.reason);
        }
        const target = listCheckpoints(folder)
          .filter(({ state }) => state.stage === position)
          .at(-1);
        if (target === undefined) throw new Left(`${verdict.reason}; there is no checkpoint in this stage to roll back to`);
        this.options.listen({
          kind: "warning",
          text: `${verdict.reason}; rolling back to step ${target.state.step}, past the data of the steps since`,
        });
        const restored = loadModel(join(target.folder, "model")).model;
        this.model.loadStateDict(restored.stateDict());
        restored.dispose();
        // The source keeps its position: the data that led to the spike is not drawn again.
        restoreParts(target, parts);
        this.tokens = target.state.tokens;
        from = target.state.stageStep;
      }
    }
  }

  private measureDuring(
    step: number,
    position: number,
    rules: readonly Rule[],
    stageStep: number,
    save: (stageStep: number, score: number | null) => void,
  ): number {
    const bitsPerByte = this.measure(step, position, "during");
    const score = mean([...bitsPerByte.values()]);
    for (const rule of rules) {
      const verdict = rule.afterMeasurement?.({ step, bitsPerByte, before: this.before });
      if (verdict === undefined) continue;
      this.options.recorder.event(step, verdict.action, verdict.reason);
      if (verdict.action === "rollback") {
        const target = listCheckpoints(this.options.folder).at(-1);
        throw new Left(`${verdict.reason}; the last checkpoint within the bound is ${target?.folder ?? "the model before the run"}`);
      }
      save(stageStep, score);
      throw new Left(verdict.reason);
    }
    return score;
  }

  private scheduleOf(stage: RecipeStage, steps: number, previous: { options: ScheduleOptions; offset: number; steps: number } | undefined) {
    const { learningRate } = stage.onStart;
    if (learningRate === "keep" && previous !== undefined) {
      const offset = previous.offset + previous.steps;
      const curve = toSchedule(previous.options);
      return { schedule: ((step) => curve(step + offset)) as Schedule, options: previous.options, offset };
    }
    const options = resolveSchedule(stage.train.schedule, steps);
    const warmup = learningRate === "reset" && "warmupSteps" in options ? (options.warmupSteps as number) : 0;
    const curve = toSchedule(options);
    return { schedule: ((step) => curve(step + warmup)) as Schedule, options, offset: warmup };
  }

  private record(
    step: number,
    report: StepReport,
    shares: Record<string, { requestedShare: number; targetTokenShare: number }>,
    meter: SpeedMeter,
    flopsPerToken: number,
    stage: RecipeStage,
  ): void {
    const { recorder, listen } = this.options;
    const tokensPerSecond = meter.add(report.targetTokens, report.seconds);
    const modelFlopsUtilization = (tokensPerSecond * flopsPerToken) / this.peakFlops;
    const memoryBytes = process.memoryUsage.rss();
    const mixture = Object.entries(shares).flatMap(([name, { requestedShare, targetTokenShare }]) => [
      [METRICS.requestedShare(name), requestedShare],
      [METRICS.achievedShare(name), targetTokenShare],
    ]);
    recorder.metrics(step, {
      [METRICS.loss]: report.loss,
      [METRICS.learningRate]: report.learningRate,
      [METRICS.gradNorm]: report.gradNorm,
      [METRICS.tokens]: this.tokens,
      [METRICS.tokensPerSecond]: tokensPerSecond,
      [METRICS.modelFlopsUtilization]: modelFlopsUtilization,
      [METRICS.memoryBytes]: memoryBytes,
      ...Object.fromEntries(mixture),
    });
    if (report.skipped !== undefined) {
      recorder.event(step, "skip", report.skipped.reason);
      listen({ kind: "warning", text: `${report.skipped.reason}; the update was left out` });
    }
    const { totalSteps } = this.plan;
    const secondsLeft = (totalSteps - step) * meter.secondsPerStep;
    listen({ kind: "step", stage: stage.name, report, step, totalSteps, tokensPerSecond, modelFlopsUtilization, memoryBytes, secondsLeft });
  }

  /** Bits per byte of every corpus with held-out text; recorded and returned. */
  private measure(step: number, position: number, moment: Moment): Map<string, number> {
    const { recipe, corpora, tokenizer, recorder, listen } = this.options;
    const wanted = recipe.evaluate.corpora ?? [...corpora.keys()];
    const { sequenceLength, microBatchSize } = recipe.stages[position]!.train;
    const result = new Map<string, number>();
    const rows: Parameters<Recorder["evaluations"]>[0][number][] = [];
    const base = { step, moment, stage: position, tokens: this.tokens };
    for (const name of wanted) {
      const heldOut = corpora.get(name)?.heldOut;
      if (heldOut === null || heldOut === undefined) continue;
      const measured = evaluateHeldOut(this.model, heldOut, {
        sequenceLength,
        batchSize: microBatchSize,
        maxTokens: recipe.evaluate.maxTokensPerCorpus,
        prefixTokenId: tokenizer.specialTokens.bos ?? tokenizer.specialTokens.eos,
        bootstrapResamples: moment === "during" ? 0 : recipe.evaluate.bootstrapResamples,
      });
      result.set(name, measured.bitsPerByte);
      rows.push({ ...base, corpus: name, metric: "bitsPerByte", value: measured.bitsPerByte, low: measured.low, high: measured.high });
      rows.push({ ...base, corpus: name, metric: "loss", value: measured.loss, low: Number.NaN, high: Number.NaN });
    }
    recorder.evaluations(rows);
    listen({ kind: "measured", step, moment, bitsPerByte: result });
    return result;
  }

  private writeSamples(step: number, moment: Moment): void {
    const { recipe, tokenizer, recorder, listen } = this.options;
    const { prompts, maxNewTokens, temperature, topP } = recipe.generate;
    for (const { label, prompt } of prompts) {
      const ids = tokenizer.encode(prompt);
      const { bos, eos } = tokenizer.specialTokens;
      const start = bos ?? eos;
      const [continuation] = generate(this.model, [start === undefined || ids[0] === start ? ids : [start, ...ids]], {
        maxNewTokens,
        temperature,
        topP,
        endIds: tokenizer.endIds,
        stream: stream(recipe.seed, `samples/${label}`),
      });
      const text = tokenizer.decode(continuation!, { skipSpecialTokens: true });
      recorder.samples([{ step, moment, label, prompt, text, settings: { maxNewTokens, temperature, topP } }]);
      listen({ kind: "sample", label, prompt, text });
    }
  }

  private async saveStageModel(stage: RecipeStage, position: number): Promise<string> {
    const { folder, recipe, tokenizer, recorder, corpora } = this.options;
    const isLast = position === recipe.stages.length - 1;
    const target = resolve(folder, isLast ? "model" : `models/${stage.name}`);
    mkdirSync(target, { recursive: true });
    saveModel(target, this.model, { rawConfig: this.rawConfig, tokenizerVocabSize: tokenizer.vocabSize });
    await tokenizer.save(target);
    const content = await hashPath(target);
    const parents: { hash: string; role: "model" | "data" | "replay" }[] = [];
    if (this.parentHash !== undefined) parents.push({ hash: this.parentHash, role: "model" });
    const replayedNames = new Set(stage.mixture.replay?.corpora ?? []);
    for (const name of [...stage.mixture.sources.map(({ corpus }) => corpus), ...replayedNames]) {
      const { train, paths } = corpora.get(name)!;
      recorder.input({ hash: hashText(train.hash), bytes: train.textBytes, kind: "data", name, path: paths.join(", ") });
      parents.push({ hash: hashText(train.hash), role: replayedNames.has(name) ? "replay" : "data" });
    }
    recorder.artifact({ ...content, kind: "model", name: `${recipe.name}/${stage.name}`, path: target }, parents);
    this.parentHash = content.hash;
    return target;
  }
}

const isDue = (every: number | "never", step: number) => every !== "never" && step % every === 0;
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Tokens per second over the last steps, so that a pause for a measurement does not count. */
class SpeedMeter {
  private readonly window: { tokens: number; seconds: number }[] = [];
  secondsPerStep = 0;

  add(tokens: number, seconds: number): number {
    this.window.push({ tokens, seconds });
    if (this.window.length > 20) this.window.shift();
    const total = this.window.reduce((sum, step) => sum + step.seconds, 0);
    this.secondsPerStep = total / this.window.length;
    return this.window.reduce((sum, step) => sum + step.tokens, 0) / total;
  }
}
