/** One variant of a recipe, from the model as it comes to the model that has learned: stages, measurements, checkpoints. */
import { join, resolve } from "node:path";
import { type Device, manualSeed, optim } from "@perennial/torch";
import { PerennialError } from "../errors.ts";
import type { ExperienceReplay, MixtureSource, SeenSource, Shares } from "../mixture/index.ts";
import { checkMemory, type Decoder, type LoadedModel, loadModel, trainingFlopsPerToken, trainingMemory } from "../model/index.ts";
import { causal } from "../objective/index.ts";
import { learningRateOf, type Plan, planOf, type Recipe, type RecipeStage } from "../recipe/index.ts";
import { hashPath, hashText, type Recorder } from "../store/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import { type Checkpoint, newestCheckpoint, restoreOptimizer, restoreParts, scoreCheckpoint, scoreOf } from "../train/checkpoint.ts";
import { CheckpointWriter } from "../train/checkpoint-writer.ts";
import { chooseAutocastDtype, chooseDevice, measurePeakFlops, memoryOf } from "../train/hardware.ts";
import { LoopInterruption, type LoopParts, type LoopSettings, type StepReport, trainLoop } from "../train/loop.ts";
import type { Rule } from "../train/rule.ts";
import type { Schedule } from "../train/schedule/index.ts";
import { firstRankFirst, singleProcess, type World } from "../train/world.ts";
import { adaptationOf } from "./adaptation.ts";
import type { PreparedCorpus } from "./corpora.ts";
import type { Listener } from "./events.ts";
import { Experience } from "./experience.ts";
import { measure, writeSamples } from "./measurements.ts";
import { stageSource } from "./mixture.ts";
import type { Change } from "./paired-change.ts";
import { alignment, isWeightAverage, makeRule } from "./rules.ts";
import { saveStageModel } from "./stage-model.ts";
import { StepRecorder } from "./step-recorder.ts";
import { topicMixtureRule } from "./topic-mixture.ts";

export interface VariantOptions {
  readonly recipe: Recipe;
  readonly recipeText: string;
  readonly folder: string;
  readonly tokenizer: Tokenizer;
  readonly corpora: ReadonlyMap<string, PreparedCorpus>;
  readonly startModel: () => { model: Decoder; rawConfig: LoadedModel["rawConfig"]; path: string | null };
  readonly recorder: Recorder;
  readonly resumeFrom: Checkpoint | undefined;
  /** The model that the resumed stage began with, or that a branch comes from, if the store knows it. */
  readonly parentHash: string | null;
  /** Steps of the run at which branches leave it: their checkpoints are saved and kept. */
  readonly branchSteps?: readonly number[];
  readonly until: number | undefined;
  readonly listen: Listener;
  /** Aborted: finish the step, save, leave. */
  readonly signal: AbortSignal | undefined;
  readonly world?: World;
  /** Where the model trains; default auto: on a GPU where there is one. */
  readonly device?: "auto" | "cpu" | "cuda";
}

export interface VariantResult {
  readonly status: "finished" | "stopped";
  readonly reason: string | null;
  /** Folder of the final model; null when the run stopped before its end and no rule chose a model for it. */
  readonly modelFolder: string | null;
  readonly before: ReadonlyMap<string, number>;
  readonly after: ReadonlyMap<string, number>;
  /** after − before on the same documents, with its interval. */
  readonly changes: ReadonlyMap<string, Change>;
}

export const recipeHash = (recipe: Recipe): string => hashText(JSON.stringify(recipe));

export async function runVariant(options: VariantOptions): Promise<VariantResult> {
  return new VariantRun(options).run();
}

/** The run leaves before its end, resumable. */
class Left extends Error {
  /** A rule went back to a model that the run ends with. */
  readonly modelFolder: string | null;
  constructor(reason: string, modelFolder: string | null = null) {
    super(reason);
    this.modelFolder = modelFolder;
  }
}

/** What a stage holds while it runs. */
interface StageRun {
  readonly stage: RecipeStage;
  readonly position: number;
  readonly startStep: number;
  readonly resumed: boolean;
  readonly parts: LoopParts & { readonly source: MixtureSource | ExperienceReplay };
  readonly settings: LoopSettings;
}

/** So many rollbacks to one checkpoint lead nowhere: it is not the data. */
const MAX_ROLLBACKS = 10;

class VariantRun {
  private readonly options: VariantOptions;
  private readonly plan: Plan;
  private readonly world: World;
  private readonly device: Device;
  private readonly autocastDtype;
  private readonly peakFlops: number;
  private readonly learningRate: Schedule;
  private readonly checkpoints: CheckpointWriter;
  private model!: Decoder;
  private rawConfig!: LoadedModel["rawConfig"];
  private parentHash: string | null = null;
  private tokens = 0;
  private memory: SeenSource[] = [];
  private experience!: Experience;
  private before = new Map<string, number>();
  private latest = new Map<string, number>();
  /** Nats per token at the last measurement. */
  private losses: ReadonlyMap<string, number> = new Map();
  private changes = new Map<string, Change>();

  constructor(options: VariantOptions) {
    this.options = options;
    this.world = options.world ?? singleProcess;
    this.plan = planOf(options.recipe, { worldSize: this.world.size });
    this.learningRate = learningRateOf(options.recipe, this.plan);
    const rules = options.recipe.stages.flatMap((stage) => stage.rules);
    this.checkpoints = new CheckpointWriter(options.folder, {
      ...options.recipe.checkpoints,
      keepMeasured: rules.some(isBoundToGoBackFrom),
      keepPlanned: rules.some(goesBack),
      keepSteps: options.branchSteps ?? [],
    });
    const device = chooseDevice(options.device ?? "auto");
    const chosen = chooseAutocastDtype(options.recipe.stages[0]!.train.autocastDtype, device.value);
    this.device = device.value;
    this.autocastDtype = chosen.value;
    this.peakFlops = measurePeakFlops(chosen.value, device.value);
    options.listen({
      kind: "note",
      text: `computing on ${device.value}: ${device.because}; in ${chosen.value}: ${chosen.because}; matrix products reach ${(this.peakFlops / 1e9).toFixed(0)} GFLOP/s here`,
    });
  }

  async run(): Promise<VariantResult> {
    const { recipe, recorder, listen, folder } = this.options;
    manualSeed(recipe.seed);
    await this.start();
    const { rank, size: worldSize } = this.world;
    const { vocabSize } = this.model.config;
    this.experience = new Experience(recipe, { folder, vocabSize, rank, worldSize, resumed: this.options.resumeFrom !== undefined });
    let left: Left | undefined;
    let modelFolder: string | null = null;
    let finished = false;
    try {
      modelFolder = await this.stages();
      await this.checkpoints.idle();
      finished = true;
    } catch (error) {
      // Whatever happened, a checkpoint on its way is finished first; its own failure does not hide the cause.
      await this.checkpoints.idle().catch(() => {});
      if (!(error instanceof Left)) throw error;
      left = error;
      modelFolder = error.modelFolder;
    } finally {
      this.experience.close({ finished });
    }
    const status = left === undefined ? "finished" : "stopped";
    const reason = left?.message ?? null;
    recorder.end(status, reason);
    if (modelFolder !== null) listen({ kind: "finished", variant: recipe.variant, modelFolder });
    if (left !== undefined) listen({ kind: "warning", text: `${reason}. Run the same command with --resume to go on from ${folder}.` });
    this.model.dispose();
    return { status, reason, modelFolder, before: this.before, after: this.latest, changes: this.changes };
  }

  private async stages(): Promise<string | null> {
    const { recipe, resumeFrom } = this.options;
    if (resumeFrom === undefined) {
      this.before = this.measure(0, 0, "before");
      this.writeSamples(0, "before");
    }
    let modelFolder: string | null = null;
    let optimizer: optim.AdamW | undefined;
    for (const { position } of this.plan.stages) {
      const stage = recipe.stages[position]!;
      if (resumeFrom !== undefined && position < resumeFrom.state.stage) continue;
      const run = this.prepareStage(stage, position, optimizer);
      optimizer = run.parts.optimizer;
      await this.stage(run);
      modelFolder = await this.saveModels(run);
    }
    optimizer?.dispose();
    return modelFolder;
  }

  private async start(): Promise<void> {
    const { recipe, tokenizer, recorder, resumeFrom, startModel } = this.options;
    if (resumeFrom !== undefined) {
      const { model, rawConfig } = loadModel(join(resumeFrom.folder, "model"));
      [this.model, this.rawConfig] = [model, rawConfig];
      this.tokens = resumeFrom.state.tokens;
      this.memory = resumeFrom.state.memory as SeenSource[];
      this.before = new Map(Object.entries(resumeFrom.state.before));
      this.parentHash = this.options.parentHash;
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
    const onGpu = this.device !== "cpu";
    // A GPU has one process; those of a CPU share the machine's memory.
    const space = { processes: onGpu ? 1 : this.world.localSize, available: memoryOf(this.device) };
    for (const { train } of recipe.stages) checkMemory(trainingMemory(config, train), space);
    this.model.to({ device: this.device });
    this.world.share(this.model.stateDict().values());
    if (tokenizer.vocabSize > config.vocabSize)
      throw new PerennialError(
        "MODEL_SIZES",
        `The tokenizer knows ${tokenizer.vocabSize} tokens but the model has rows for ${config.vocabSize}; use the model's own tokenizer.`,
      );
  }

  /** The parts of a stage, as they are at its start or at the checkpoint that the run resumes from. */
  private prepareStage(stage: RecipeStage, position: number, before: optim.AdamW | undefined) {
    const { recipe, corpora, tokenizer, recorder, resumeFrom, listen } = this.options;
    const planned = this.plan.stages[position]!;
    const { train } = stage;
    const { source: mixture, shares } = stageSource({
      stage,
      planned,
      fullTokens: planned.fullSteps * planned.tokensPerStep,
      corpora,
      memory: this.memory,
      seed: recipe.seed + position,
      rank: this.world.rank,
      worldSize: this.world.size,
    });
    const adaptation = adaptationOf(recipe, position, this.model, tokenizer);
    const { beta1, beta2, eps, weightDecay } = train.optimizer;
    const optimizer = new optim.AdamW(
      adaptation.parameterSets.map((set) => ({
        name: set.name,
        parameters: set.parameters,
        ...(set.weightDecay === undefined ? {} : { weightDecay: set.weightDecay }),
      })),
      { learningRate: 0, beta1, beta2, eps, weightDecay },
    );
    // Kept are the moments and their step count; rates and decays are those of the new stage.
    if (before !== undefined && stage.onStart.optimizer === "keep") restoreOptimizer(optimizer, { ...before.state(), settings: [] });
    before?.dispose();
    const source = this.experience.around(mixture, stage);
    const rules = [
      ...stage.rules.map((rule) => makeRule(rule, this.model)),
      ...this.topicMixture(stage, mixture, shares),
      ...alignment(train.experience, this.model, planned.steps),
    ];
    let startStep = 0;
    const resumed = resumeFrom !== undefined && resumeFrom.state.stage === position;
    if (resumed) {
      restoreParts(resumeFrom, { optimizer, rules });
      source.restore(this.experience.stateAt(resumeFrom.state.step, resumeFrom.state.source as ReturnType<typeof source.state>));
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
      schedule: (step: number) => this.learningRate(planned.startStep + step),
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
    return { stage, position, startStep, resumed, parts, settings };
  }

  /** A mixture that follows the measurements, where the stage has one. */
  private topicMixture({ name, mixture }: RecipeStage, source: MixtureSource, shares: Shares): Rule[] {
    if (mixture.sampling.sampling !== "topics") return [];
    const { sampling: _, ...update } = mixture.sampling;
    const { listen } = this.options;
    const note = (text: string) => listen({ kind: "note", text: `${name}, ${text}` });
    // A resumed stage restores what it had; what it began with is not known any more, and not needed.
    const losses = this.losses.size > 0 ? this.losses : new Map(mixture.sources.map(({ corpus }) => [corpus, 0]));
    return [topicMixtureRule({ source, shares, topics: mixture.sources.map(({ corpus }) => corpus), update, losses, note })];
  }

  private async stage(run: StageRun): Promise<void> {
    const { stage, position, parts } = run;
    const { recipe, recorder, listen } = this.options;
    const planned = this.plan.stages[position]!;
    const steps = new StepRecorder({
      recorder,
      listen,
      totalSteps: this.plan.totalSteps,
      peakFlops: this.peakFlops * this.world.size,
      flopsPerToken: trainingFlopsPerToken(this.model.config, stage.train.sequenceLength),
      stage: stage.name,
    });
    // There must be something to go back to from the first step on, and from every measurement within a bound.
    if (!run.resumed && stage.rules.some(goesBack)) await this.save(run, 0, mean(position === 0 ? this.before : this.latest), true);
    const savesMeasured = stage.rules.some(isBoundToGoBackFrom);
    const afterStep = async (report: StepReport) => {
      this.tokens += report.targetTokens;
      const step = planned.startStep + report.step;
      steps.record(step, this.tokens, report, parts.source.shares());
      this.checkpoints.check();
      let score: number | null = null;
      const isLast = report.step === planned.steps;
      if ((isDue(recipe.evaluate.everySteps, report.step) || recipe.evaluate.atSteps.includes(report.step)) && !isLast) {
        const bitsPerByte = this.measure(step, position, "during", parts.rules);
        score = mean(bitsPerByte);
        await this.judge(run, report.step, step, bitsPerByte, score);
      }
      const left = this.options.until !== undefined && step >= this.options.until && step < this.plan.totalSteps;
      // A signal may reach the processes at different moments: all leave at the same step.
      const aborted = this.world.sum(this.options.signal?.aborted === true ? 1 : 0) > 0;
      const branches = this.options.branchSteps?.includes(step) === true;
      const due = isDue(recipe.checkpoints.everySteps, report.step) || isLast || branches || (score !== null && savesMeasured);
      if (due || left || aborted) await this.save(run, report.step, score, due);
      if (aborted || left) throw new Left(aborted ? `interrupted after step ${step}` : `stopped after step ${step} as asked`);
      // Lets signals and timers in.
      await new Promise((done) => setImmediate(done));
      return "continue" as const;
    };
    await this.loop(run, afterStep);
    this.tellShares(run);
    const end = planned.startStep + planned.steps;
    this.latest = this.measure(end, position, "after", parts.rules);
    await this.judge(run, planned.steps, end, this.latest, mean(this.latest));
    await this.checkpoints.idle();
    if (this.world.rank === 0) scoreCheckpoint(this.options.folder, end, mean(this.latest));
    this.memory = parts.source.memory(this.memory);
    this.writeSamples(end, "after");
    recorder.stageEnded(position, end, this.tokens);
  }

  /** Starts to save a checkpoint; the run goes on meanwhile. All processes hold the same state: the first one writes it. */
  private async save({ position, parts }: StageRun, stageStep: number, score: number | null, planned: boolean): Promise<void> {
    const { recipe, recorder, listen, folder, branchSteps = [] } = this.options;
    const step = this.plan.stages[position]!.startStep + stageStep;
    const source = parts.source.state();
    // No checkpoint without the place of every process in its buffer.
    if (this.experience.keep(step, source, { forBranch: branchSteps.includes(step) })) this.world.sum(0);
    if (this.world.rank > 0) return;
    recorder.flush();
    const state = {
      recipeHash: recipeHash(recipe),
      stage: position,
      stageStep,
      step,
      tokens: this.tokens,
      source,
      memory: this.memory,
      before: Object.fromEntries(this.before),
      parentHash: this.parentHash,
      planned,
    };
    const { optimizer, rules } = parts;
    await this.checkpoints.save({ model: this.model, rawConfig: this.rawConfig, optimizer, rules }, state, (saved) => {
      if (score !== null) scoreCheckpoint(folder, step, score);
      listen({ kind: "checkpoint", step, folder: saved });
    });
  }

  /** Runs the loop; a rollback loads the newest checkpoint of the stage and goes on behind the data that led there. */
  private async loop(run: StageRun, afterStep: Parameters<typeof trainLoop>[3]): Promise<void> {
    const rollbacks = new Map<number, number>();
    for (let from = run.startStep; ; ) {
      try {
        await trainLoop(run.parts, run.settings, from, afterStep);
        return;
      } catch (error) {
        if (!(error instanceof LoopInterruption)) throw error;
        const { verdict, step } = error;
        this.options.recorder.event(this.plan.stages[run.position]!.startStep + step, verdict.action, verdict.reason);
        if (verdict.action === "stop") {
          await this.save(run, step, null, false);
          throw new Left(verdict.reason);
        }
        const target = await this.newest(({ state }) => state.stage === run.position && state.planned);
        if (target === undefined) throw new Left(`${verdict.reason}; there is no checkpoint in this stage to roll back to`);
        const { step: back } = target.state;
        const times = (rollbacks.get(back) ?? 0) + 1;
        rollbacks.set(back, times);
        if (times > MAX_ROLLBACKS)
          throw new Left(
            `${verdict.reason}; rolled back to step ${back} ${MAX_ROLLBACKS} times without getting past: lower the learning rate`,
          );
        this.warn(`${verdict.reason}; rolling back to step ${back}, past the data of the steps since`);
        this.loadWeights(target);
        // The source keeps its position: the data that led to the spike is not drawn again.
        restoreParts(target, run.parts);
        this.tokens = target.state.tokens;
        from = target.state.stageStep;
      }
    }
  }

  /** Lets the rules judge a measurement. */
  private async judge(
    run: StageRun,
    stageStep: number,
    step: number,
    bitsPerByte: ReadonlyMap<string, number>,
    score: number,
  ): Promise<void> {
    for (const rule of run.parts.rules) {
      const verdict = rule.afterMeasurement?.({ step, bitsPerByte, losses: this.losses, before: this.before });
      if (verdict === undefined) continue;
      this.options.recorder.event(step, verdict.action, verdict.reason);
      if (verdict.action === "rollback") await this.endAtBound(run, verdict.reason);
      // At the end of a stage nothing is left to stop; its model is told of and kept.
      if (stageStep === run.settings.totalSteps) {
        this.warn(verdict.reason);
        continue;
      }
      await this.save(run, stageStep, score, false);
      throw new Left(verdict.reason);
    }
  }

  /** Ends the run with the model of the newest checkpoint that was measured and within the bound: one that broke it is never saved. */
  private async endAtBound(run: StageRun, reason: string): Promise<never> {
    const target = await this.newest(({ folder, state }) => state.stage === run.position && scoreOf(folder) !== undefined);
    if (target === undefined) throw new Left(`${reason}; no checkpoint of this stage is within the bound`);
    const { step, stageStep, tokens } = target.state;
    this.loadWeights(target);
    restoreParts(target, run.parts);
    this.tokens = tokens;
    if (stageStep > 0) this.latest = this.measure(step, run.position, "after", run.parts.rules);
    throw new Left(`${reason}; the model is the one of step ${step}`, await this.saveModels(run));
  }

  private async newest(wanted: (checkpoint: Checkpoint) => boolean): Promise<Checkpoint | undefined> {
    return firstRankFirst(this.world, async () => {
      await this.checkpoints.idle();
      return newestCheckpoint(this.options.folder, (text) => this.warn(text), wanted);
    });
  }

  private loadWeights({ folder }: Checkpoint): void {
    const { model } = loadModel(join(folder, "model"));
    this.model.loadStateDict(model.stateDict());
    model.dispose();
  }

  private measure(step: number, stage: number, moment: "before" | "during" | "after", rules: readonly Rule[] = []): Map<string, number> {
    const occasion = { step, stage, moment, tokens: this.tokens };
    const { bitsPerByte, losses, changes } = measure(this.options, this.model, occasion);
    this.losses = losses;
    if (moment === "after") this.changes = changes;
    for (const rule of rules)
      if (isWeightAverage(rule)) rule.withAverage(() => measure(this.options, this.model, { ...occasion, variant: "average" }));
    return bitsPerByte;
  }

  private writeSamples(step: number, moment: "before" | "after"): void {
    if (this.world.rank === 0) writeSamples(this.options, this.model, step, moment);
  }

  /** The model of a stage, and beside it the average of its weights where a rule keeps one. */
  private async saveModels({ stage, position, parts }: StageRun): Promise<string> {
    const { folder, recipe } = this.options;
    const isLast = position === this.plan.stages.length - 1;
    const target = resolve(folder, isLast ? "model" : `models/${stage.name}`);
    if (this.world.rank > 0) return target;
    const shared = { ...this.options, stage, rawConfig: this.rawConfig, parentHash: this.parentHash };
    for (const rule of parts.rules) {
      if (!isWeightAverage(rule)) continue;
      const beside = resolve(folder, isLast ? "model-average" : `models-average/${stage.name}`);
      // The weights are written before the first wait, while the average is in their place.
      await rule.withAverage(() => saveStageModel(beside, this.model, `${recipe.name}/${stage.name}/average`, shared));
    }
    this.parentHash = await saveStageModel(target, this.model, `${recipe.name}/${stage.name}`, shared);
    return target;
  }

  /** Asked for beside delivered. The sampler follows its shares as closely as whole sequences can: more than that apart is told. */
  private tellShares({ stage, position, parts, settings }: StageRun): void {
    const shares = Object.entries(parts.source.shares());
    const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
    const parted = shares.map(
      ([name, { requestedShare, sequenceShare, tokenShare, targetTokenShare, documentShare }]) =>
        `${name} ${percent(requestedShare)} asked, ${percent(sequenceShare)} of sequences, ${percent(tokenShare)} of tokens, ` +
        `${percent(targetTokenShare)} of the loss, ${percent(documentShare)} of documents`,
    );
    this.options.listen({ kind: "note", text: `mixture of ${stage.name}: ${parted.join("; ")}` });
    for (const [name, { requestedShare, sequences, sequenceShare }] of shares) {
      const sequencesApart = Math.abs(requestedShare - sequenceShare) * (sequences / sequenceShare);
      if (!(sequencesApart > 2)) continue;
      const text = `stage ${stage.name}: ${name} was to be ${percent(requestedShare)} of the sequences and was ${percent(sequenceShare)}`;
      this.options.recorder.event(this.plan.stages[position]!.startStep + settings.totalSteps, "mixture", text);
      this.warn(text);
    }
  }

  private warn(text: string): void {
    this.options.listen({ kind: "warning", text });
  }
}

const goesBack = (rule: RecipeStage["rules"][number]) => "action" in rule && rule.action === "rollback";
const isBoundToGoBackFrom = (rule: RecipeStage["rules"][number]) => rule.rule === "forgettingBound" && goesBack(rule);
const isDue = (every: number | "never", step: number) => every !== "never" && step % every === 0;
const mean = (values: ReadonlyMap<string, number>) => [...values.values()].reduce((sum, value) => sum + value, 0) / values.size;
