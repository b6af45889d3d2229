/** What a report shows, as plain data: the JSON report, and the only thing that the drawing code sees. */
import { type Artifact, METRICS, type Role, type Run, type Sample, type Stage, type Store, type ThinnedSeries } from "../store/index.ts";

import {
  continuesModel,
  corporaInOrder,
  ownCorpora,
  type SequenceMeasures,
  type StabilityGapMeasures,
  sequenceMeasures,
  stabilityGaps,
} from "./continual.ts";

/** Points per line: more than a wide screen can show. */
const MAX_POINTS = 500;
/** The metric that compares across tokenizers and languages. */
export const MAIN_METRIC = "bitsPerByte";
/** The same of an average of the weights, where a rule keeps one. */
const AVERAGE_METRIC = `${MAIN_METRIC}/average`;
/** Of a metric since before the run, on the same documents. */
const changeMetric = (metric: string) => metric.replace(MAIN_METRIC, `${MAIN_METRIC}Change`);

export interface CorpusScores {
  corpus: string;
  /** In the order of training. */
  points: { step: number; tokens: number; moment: string; stage: number; value: number; low: number; high: number }[];
  /** Not-a-number where it was not measured. */
  before: number;
  after: number;
  /** after − before: negative is better, for bits per byte. */
  change: number;
  /** Bounds of its 95 % interval, from the same documents before and after; not-a-number where none was computed. */
  changeLow: number;
  changeHigh: number;
}

export interface LineageEntry {
  role: Role;
  kind: string;
  name: string;
  path: string;
  hash: string;
  run: string | null;
  parents: LineageEntry[];
}

export interface RunReport {
  id: string;
  name: string;
  variant: string;
  status: string;
  reason: string | null;
  seed: number;
  startedAt: number;
  endedAt: number | null;
  tokens: number;
  steps: number;
  stages: Stage[];
  events: { step: number; kind: string; message: string }[];
  series: Record<"loss" | "learningRate" | "gradNorm" | "tokensPerSecond" | "modelFlopsUtilization" | "dataWaitShare", ThinnedSeries>;
  mixture: { source: string; requested: ThinnedSeries; achieved: ThinnedSeries }[];
  scores: CorpusScores[];
  /** The same with an average of the weights in the model's place; empty where none was kept. */
  averageScores: CorpusScores[];
  /** Null for a single stage. */
  sequence: SequenceMeasures | null;
  stabilityGaps: StabilityGapMeasures[];
  matrix: { rows: string[]; corpora: string[]; values: number[][] };
  samples: Sample[];
  lineage: LineageEntry[];
  recipeText: string;
  recipe: unknown;
  versions: Record<string, string>;
  hardware: Record<string, unknown>;
}

export interface ReportData {
  title: string;
  metric: string;
  createdAt: number;
  runs: RunReport[];
}

/** One report over any number of runs; the first is the one that the others are compared with. */
export function collectReport(store: Store, runs: readonly Run[], now = Date.now()): ReportData {
  const names = [...new Set(runs.map(({ name }) => name))];
  return { title: names.join(" · "), metric: MAIN_METRIC, createdAt: now, runs: runs.map((run) => collectRun(store, run)) };
}

function collectRun(store: Store, run: Run): RunReport {
  const { key } = run;
  const line = (name: string) => store.metrics.thinned(key, name, MAX_POINTS);
  const stages = store.stages.read(key);
  const matrix = store.evaluations.matrix(
    key,
    MAIN_METRIC,
    stages.map(({ name }) => name),
  );
  const own = ownCorpora(run.recipe);
  const order = corporaInOrder(run.recipe);
  const scores = scoresOf(store, key, MAIN_METRIC, order);
  const columns = inOrder(matrix.corpora, order);
  const values = matrix.values.map((row) => columns.map((corpus) => row[matrix.corpora.indexOf(corpus)]!));
  const last = store.metrics.last(key, METRICS.tokens);
  return {
    id: run.id,
    name: run.name,
    variant: run.variant,
    status: run.status,
    reason: run.reason,
    seed: run.seed,
    startedAt: run.startedAt,
    endedAt: run.endedAt,
    tokens: last?.value ?? stages.reduce((sum, { tokens }) => sum + tokens, 0),
    steps: store.metrics.last(key, METRICS.loss)?.step ?? 0,
    stages,
    events: store.events.read(key),
    series: {
      loss: line(METRICS.loss),
      learningRate: line(METRICS.learningRate),
      gradNorm: line(METRICS.gradNorm),
      tokensPerSecond: line(METRICS.tokensPerSecond),
      modelFlopsUtilization: line(METRICS.modelFlopsUtilization),
      dataWaitShare: line(METRICS.dataWaitShare),
    },
    mixture: sourcesOf(store.metrics.names(key)).map((source) => ({
      source,
      requested: line(METRICS.requestedShare(source)),
      achieved: line(METRICS.achievedShare(source)),
    })),
    scores,
    averageScores: scoresOf(store, key, AVERAGE_METRIC, order),
    sequence: sequenceMeasures(own, matrix) ?? null,
    stabilityGaps: stabilityGaps(own, stages, scores, continuesModel(run.recipe)),
    matrix: { rows: matrix.rows.map(({ label }) => label), corpora: columns, values },
    samples: store.evaluations.samples(key),
    lineage: lineageOf(store, key),
    recipeText: run.recipeText,
    recipe: run.recipe,
    versions: run.versions,
    hardware: run.hardware,
  };
}

function sourcesOf(metrics: readonly string[]): string[] {
  const prefix = METRICS.achievedShare("");
  return metrics.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
}

/** Sorted by their place in `order`; the others behind, as they were. */
function inOrder(names: readonly string[], order: readonly string[]): string[] {
  const place = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length);
  return [...names].sort((a, b) => place(a) - place(b));
}

/** Corpora in the order of the recipe, else of their first measurement. The last measurement counts as the one after, also in a run that is still going. */
function scoresOf(store: Store, key: number, metric: string, order: readonly string[]): CorpusScores[] {
  const all = store.evaluations.read(key, metric);
  const changes = store.evaluations.read(key, changeMetric(metric));
  return inOrder([...new Set(all.map(({ corpus }) => corpus))], order).map((corpus) => {
    const rows = all.filter((row) => row.corpus === corpus);
    const before = rows.find(({ moment }) => moment === "before")?.value ?? Number.NaN;
    const after = rows.findLast(({ moment }) => moment !== "before")?.value ?? Number.NaN;
    const points = rows.map(({ step, tokens, moment, stage, value, low, high }) => ({ step, tokens, moment, stage, value, low, high }));
    const { low = Number.NaN, high = Number.NaN } = changes.findLast((row) => row.corpus === corpus) ?? {};
    return { corpus, points, before, after, change: after - before, changeLow: low, changeHigh: high };
  });
}

/** What the run's last model came from, as a tree. */
function lineageOf(store: Store, key: number): LineageEntry[] {
  const model = store.lineage.madeBy(key).findLast(({ kind }) => kind === "model");
  if (model === undefined) return [];
  const { artifacts, edges } = store.lineage.of(model.hash);
  const entry = (artifact: Artifact, role: Role, seen: ReadonlySet<string>): LineageEntry => ({
    role,
    kind: artifact.kind,
    name: artifact.name,
    path: artifact.path,
    hash: artifact.hash,
    run: artifact.run,
    parents: edges
      .filter(({ child, parent }) => child === artifact.hash && !seen.has(parent))
      .map(({ parent, role }) => entry(artifacts.get(parent)!, role, new Set([...seen, parent]))),
  });
  return [entry(model, "model", new Set([model.hash]))];
}
