/** The HTML report: one file that needs nothing else, neither network nor script (the script only reads values under the pointer). */
import { formatCount } from "../recipe/index.ts";
import { chart, type Line } from "./chart.ts";
import type { CorpusScores, LineageEntry, ReportData, RunReport } from "./data.ts";
import { changeText, duration, forgettingMatrix, number, signed, smoothed } from "./figures.ts";
import { type Content, html, type Markup, trusted } from "./html.ts";
import { GAP_HEAD, GAP_NOTE, gapCells, SEQUENCE_HEAD, SEQUENCE_NOTE, sequenceCells } from "./measures.ts";
import { SCRIPT, STYLE } from "./style.ts";
import { NOTICEABLE, verdicts } from "./verdict.ts";

export function htmlReport(data: ReportData): string {
  const { runs, title } = data;
  return htmlPage(
    `${title} – Perennial report`,
    html`<header><p class="brand">Perennial</p><h1>${title}</h1><p class="sub">${subtitle(data)}</p></header>
${outcome(data)}
${section("Bits per byte over training", "Held-out text, lower is better. What falls was learned; what rises was forgotten.", scoreCharts(runs))}
${section("Loss and learning rate", "Loss in nats per token on the training text: faint as measured, bold smoothed.", lossCharts(runs))}
${section("Forgetting", "Change against the best earlier value of each corpus, in bits per byte.", runs.map(heatMap))}
${section(
  "Over the sequence of stages",
  SEQUENCE_NOTE,
  measureTable(SEQUENCE_HEAD, runs, ({ sequence }) => (sequence === null ? [] : [sequenceCells(sequence)])),
)}
${section("Stability gap", GAP_NOTE, [...gapCharts(runs), measureTable(GAP_HEAD, runs, ({ stabilityGaps }) => stabilityGaps.map(gapCells))])}
${section("Speed", "Share of the peak of large matrix products on the machine of the run, and share of each step spent waiting for data.", speedCharts(runs))}
${section("Mixture", "Share of each step's tokens: filled as delivered, dashed as requested.", runs.flatMap(mixtureChart))}
${section("Text before and after", "The same prompts, continued by the model as it came and as it left.", runs.flatMap(samples))}
${section("Stages", undefined, runs.map(stageTable))}
${section(
  "Where the model comes from",
  undefined,
  runs.flatMap(({ lineage, variant }) => (lineage.length === 0 ? [] : [html`<h3>${variant}</h3>${tree(lineage)}`])),
)}
${section("Recipe and machine", undefined, details(runs))}
<footer>Drawn from the run store on ${date(data.createdAt)}. Bits per byte = loss / (ln 2 · bytes), comparable across tokenizers and languages.</footer>`,
  );
}

/** A page of its own around any content: style and script inside, nothing from outside. */
export function htmlPage(title: string, content: Content): string {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${title}</title><style>${trusted(STYLE)}</style></head><body><main>
${content}
</main><script>${trusted(SCRIPT)}</script></body></html>
`.text;
}

/** A section without content is left out. */
export function section(title: string, text: string | undefined, content: Content): Content {
  if (content === null || content === undefined) return null;
  if (Array.isArray(content) && content.flat().filter((part) => part !== null && part !== undefined).length === 0) return null;
  return html`<section><h2>${title}</h2>${text === undefined ? null : html`<p class="note">${text}</p>`}${content}</section>`;
}

function subtitle({ runs }: ReportData): string {
  const [main] = runs;
  if (main === undefined) return "no runs";
  const variants =
    runs.length === 1 ? main.status : `${runs.length} runs: ${runs.map(({ variant, status }) => `${variant} (${status})`).join(", ")}`;
  const time = main.endedAt === null ? "" : ` · ${duration(main.endedAt - main.startedAt)}`;
  return `${variants} · ${formatCount(main.tokens)} tokens${time} · ${date(main.startedAt)}`;
}

const date = (time: number) => new Date(time).toISOString().slice(0, 16).replace("T", " ");

function outcome(data: ReportData): Content {
  const { runs } = data;
  const corpora = [...new Set(runs.flatMap(({ scores }) => scores.map(({ corpus }) => corpus)))];
  if (corpora.length === 0)
    return html`<section><p class="note">Nothing was evaluated yet: name corpora with held-out text in the recipe to see learning and forgetting here.</p></section>`;
  const cell = (run: RunReport, corpus: string) => {
    const score = run.scores.find((candidate) => candidate.corpus === corpus);
    if (score === undefined) return html`<td class="num">–</td>`;
    return html`<td class="num">${number(score.before)} → <b>${number(score.after)}</b> <span class="tag ${tone(score.change)}">${changeText(score.change, score.changeLow, score.changeHigh)}</span>${interval(score)}</td>`;
  };
  return html`<section class="outcome"><ul class="verdicts">${verdicts(data).map((text, i) => html`<li style="--c:var(--c${i})">${text}</li>`)}</ul>
<div class="scroll"><table><thead><tr><th>bits per byte</th>${corpora.map((corpus) => html`<th class="num">${corpus}<br><small>before → after, change</small></th>`)}</tr></thead>
<tbody>${runs.map((run, i) => html`<tr><th><i class="dot" style="--c:var(--c${i})"></i>${run.variant}</th>${corpora.map((corpus) => cell(run, corpus))}</tr>`)}</tbody></table></div></section>`;
}

/** The 95 % interval of the last measurement that has one. */
function interval({ points }: CorpusScores): Content {
  const last = points.at(-1);
  if (last === undefined || !Number.isFinite(last.low) || !Number.isFinite(last.high)) return null;
  return html`<br><small>95 %: ${number(last.low)} – ${number(last.high)}</small>`;
}

const tone = (change: number) => (change < -NOTICEABLE ? "good" : change > NOTICEABLE ? "bad" : "same");

function stageMarks({ stages }: RunReport, at: (step: number) => number): { x: number; label: string }[] {
  return stages.length < 2 ? [] : stages.map(({ name, startStep }) => ({ x: at(startStep), label: name }));
}

function scoreCharts(runs: readonly RunReport[]): Markup[] {
  const corpora = [...new Set(runs.flatMap(({ scores }) => scores.map(({ corpus }) => corpus)))];
  return corpora.map((corpus) => {
    const lines = runs.flatMap((run, color): Line[] => {
      const points = run.scores.find((score) => score.corpus === corpus)?.points ?? [];
      return points.length === 0
        ? []
        : [
            {
              label: run.variant,
              color,
              x: points.map(({ tokens }) => tokens),
              y: points.map(({ value }) => value),
              low: points.map(({ low }) => low),
              high: points.map(({ high }) => high),
              dots: points.length < 40,
            },
            ...averageLine(run, corpus, color),
          ];
    });
    const first = runs.find((run) => run.scores.some((score) => score.corpus === corpus))!;
    const tokensAt = (step: number) =>
      first.scores.flatMap(({ points }) => points).find((point) => point.step === step)?.tokens ?? Number.NaN;
    const marks = stageMarks(first, tokensAt).filter(({ x }) => Number.isFinite(x));
    return chart({ title: corpus, x: "tokens", y: "bits per byte", lines, marks, height: 230 });
  });
}

/** What an average of the weights scores, beside the weights themselves. */
function averageLine({ variant, averageScores }: RunReport, corpus: string, color: number): Line[] {
  const points = averageScores.find((score) => score.corpus === corpus)?.points ?? [];
  if (points.length === 0) return [];
  return [
    {
      label: `${variant}, averaged weights`,
      color,
      x: points.map(({ tokens }) => tokens),
      y: points.map(({ value }) => value),
      dashed: true,
    },
  ];
}

/** One table over all runs; null where no run has a row. */
function measureTable(
  head: readonly string[],
  runs: readonly RunReport[],
  rowsOf: (run: RunReport) => readonly (readonly string[])[],
): Content {
  const rows = runs.flatMap((run, i) => rowsOf(run).map((cells) => ({ cells, variant: run.variant, i })));
  if (rows.length === 0) return null;
  return html`<div class="scroll measures"><table><thead><tr><th></th>${head.map((title) => html`<th class="num">${title}</th>`)}</tr></thead>
<tbody>${rows.map(({ cells, variant, i }) => html`<tr><th><i class="dot" style="--c:var(--c${i})"></i>${variant}</th>${cells.map((cell) => html`<td class="num">${cell}</td>`)}</tr>`)}</tbody></table></div>`;
}

/** A chart for each stage and old corpus that got noticeably worse on the way in some run. */
function gapCharts(runs: readonly RunReport[]): Markup[] {
  const all = runs.flatMap(({ stabilityGaps }) => stabilityGaps).filter(({ depth }) => depth > NOTICEABLE);
  const shown = [...new Map(all.map(({ stage, corpus }) => [JSON.stringify([stage, corpus]), { stage, corpus }])).values()];
  return shown.map(({ stage, corpus }) => {
    const lines = runs.flatMap(({ variant, stabilityGaps }, color): Line[] =>
      stabilityGaps
        .filter((gap) => gap.stage === stage && gap.corpus === corpus)
        .map(({ curve }) => ({
          label: variant,
          color,
          x: curve.map(({ tokens }) => tokens),
          y: curve.map(({ change }) => change),
          dots: curve.length < 40,
        })),
    );
    const title = `${corpus} in stage ${stage}`;
    return chart({
      title,
      x: "tokens since the stage began",
      y: "change in bits per byte",
      lines,
      yFromZero: lines.every(({ y }) => Math.min(...y) >= 0),
      height: 190,
    });
  });
}

function speedCharts(runs: readonly RunReport[]): Markup[] {
  const curves = (name: "modelFlopsUtilization" | "dataWaitShare", title: string, y: string) => {
    const lines = runs.flatMap(({ variant, series }, color): Line[] => {
      const { steps, values } = series[name];
      const percent = values.map((value) => 100 * value);
      return steps.length === 0 ? [] : [{ label: variant, color, x: steps, y: smoothed(percent, Math.max(1, steps.length / 60)) }];
    });
    return lines.length === 0 ? [] : [chart({ title, x: "steps", y, lines, yFromZero: true, height: 150 })];
  };
  return [
    ...curves("modelFlopsUtilization", "Share of the peak", "% of FLOP/s"),
    ...curves("dataWaitShare", "Waiting for data", "% of the step"),
  ];
}

function lossCharts(runs: readonly RunReport[]): Markup[] {
  const trained = runs.filter(({ series }) => series.loss.steps.length > 0);
  if (trained.length === 0) return [];
  const color = (run: RunReport) => runs.indexOf(run);
  const marks = stageMarks(trained[0]!, (step) => step);
  const loss = trained.map((run): Line => {
    const { steps, values } = run.series.loss;
    return { label: run.variant, color: color(run), x: steps, y: smoothed(values, Math.max(1, steps.length / 120)), raw: values };
  });
  const rates = trained.filter(({ series }) => series.learningRate.steps.length > 0);
  const rate = rates.map(
    (run): Line => ({ label: run.variant, color: color(run), x: run.series.learningRate.steps, y: run.series.learningRate.values }),
  );
  return [
    chart({ title: "Training loss", x: "steps", y: "nats per token", lines: loss, marks }),
    ...(rate.length === 0 ? [] : [chart({ title: "Learning rate", x: "steps", y: "η", lines: rate, yFromZero: true, height: 170 })]),
  ];
}

function heatMap({ variant, matrix }: RunReport): Content {
  if (matrix.rows.length < 2) return null;
  const changes = forgettingMatrix(matrix.values);
  // Each direction has its own scale: what was forgotten is often small beside what was learned, and matters as much.
  const known = changes.flat().filter(Number.isFinite);
  const scales = { good: -Math.min(-0.05, ...known), bad: Math.max(0.05, ...known) };
  const cell = (t: number, i: number) => {
    const change = changes[t]![i]!;
    const strength = Number.isFinite(change) ? Math.round((60 * Math.abs(change)) / scales[change > 0 ? "bad" : "good"]) : 0;
    return html`<td class="num heat" style="--s:${strength}%;--h:var(--${change > 0 ? "bad" : "good"})"><b>${number(matrix.values[t]![i]!)}</b><small>${t === 0 ? "" : signed(change)}</small></td>`;
  };
  return html`<h3>${variant}</h3><div class="scroll"><table class="heatmap"><thead><tr><th></th>${matrix.corpora.map((corpus) => html`<th class="num">${corpus}</th>`)}</tr></thead>
<tbody>${matrix.rows.map((label, t) => html`<tr><th>${label}</th>${matrix.corpora.map((_, i) => cell(t, i))}</tr>`)}</tbody></table></div>`;
}

function mixtureChart({ variant, mixture, ...run }: RunReport): Markup[] {
  if (mixture.length === 0) return [];
  const steps = mixture[0]!.achieved.steps;
  const achieved = mixture.map(
    ({ source, achieved }, i): Line => ({ label: source, color: i + 2, x: achieved.steps, y: achieved.values, stacked: true }),
  );
  // Requested shares are drawn as the borders between the filled areas.
  const requested = mixture.slice(0, -1).map((_, i): Line => {
    const sums = steps.map((_, t) => mixture.slice(0, i + 1).reduce((sum, source) => sum + (source.requested.values[t] ?? 0), 0));
    return { label: "requested", color: 5, x: steps, y: sums, dashed: true };
  });
  const marks = stageMarks({ ...run, variant, mixture }, (step) => step);
  return [
    chart({
      title: variant,
      x: "step",
      y: "share of tokens",
      lines: [...achieved, ...requested],
      marks,
      yFromZero: true,
      yMax: 1,
      height: 170,
    }),
  ];
}

function samples({ variant, samples }: RunReport): Content[] {
  const prompts = [...new Map(samples.map((sample) => [JSON.stringify([sample.label, sample.prompt]), sample])).values()];
  if (prompts.length === 0) return [];
  const text = (label: string, prompt: string, moment: "before" | "after") =>
    samples.findLast(
      (sample) =>
        sample.label === label &&
        sample.prompt === prompt &&
        (sample.moment === moment || (moment === "after" && sample.moment === "during")),
    );
  return [
    html`<h3>${variant}</h3>`,
    ...prompts.map(
      ({ label, prompt }) =>
        html`<div class="pair"><p class="label">${label}</p>${(["before", "after"] as const).map((moment) => {
          const sample = text(label, prompt, moment);
          return html`<blockquote><cite>${moment}</cite>${sample === undefined ? html`<p class="note">not generated</p>` : html`<p><mark>${prompt}</mark>${continuation(prompt, sample.text)}</p>`}</blockquote>`;
        })}</div>`,
    ),
  ];
}

/** Some generators return the prompt with the text, some do not. */
const continuation = (prompt: string, text: string) => (text.startsWith(prompt) ? text.slice(prompt.length) : text);

function stageTable({ variant, stages, events }: RunReport): Content {
  if (stages.length === 0) return null;
  return html`<h3>${variant}</h3><div class="scroll"><table><thead><tr><th>stage</th><th class="num">steps</th><th class="num">tokens</th><th class="num">time</th></tr></thead><tbody>${stages.map(
    ({ name, startStep, endStep, tokens, startedAt, endedAt }) =>
      html`<tr><th>${name}</th><td class="num">${startStep} – ${endStep ?? "…"}</td><td class="num">${tokens === 0 ? "…" : formatCount(tokens)}</td><td class="num">${endedAt === null ? "…" : duration(endedAt - startedAt)}</td></tr>`,
  )}</tbody></table></div>${events.length === 0 ? null : html`<ul class="events">${events.map(({ step, kind, message }) => html`<li><b>step ${step}, ${kind}:</b> ${message}</li>`)}</ul>`}`;
}

function tree(entries: readonly LineageEntry[]): Markup {
  return html`<ul class="tree">${entries.map(
    ({ role, name, path, hash, run, parents }) =>
      html`<li><span class="role">${role}</span> <b>${name}</b> <code title="${hash}">${hash.slice(0, 8)}</code> <small>${path}${run === null ? "" : ` · made by ${run}`}</small>${parents.length === 0 ? null : tree(parents)}</li>`,
  )}</ul>`;
}

function details(runs: readonly RunReport[]): Markup[] {
  const [main] = runs;
  const facts = (values: Record<string, unknown>) =>
    Object.entries(values).map(
      ([key, value]) => html`<tr><th>${key}</th><td>${typeof value === "object" ? JSON.stringify(value) : String(value)}</td></tr>`,
    );
  if (main === undefined) return [];
  return [
    html`<details><summary>Recipe as written</summary><pre>${main.recipeText}</pre></details>`,
    ...runs.map(
      (run) =>
        html`<details><summary>${run.variant}: resolved recipe, seed, versions, machine</summary><table>${facts({ run: run.id, seed: run.seed, ...run.versions, ...run.hardware })}</table><pre>${JSON.stringify(run.recipe, null, 2)}</pre></details>`,
    ),
  ];
}
