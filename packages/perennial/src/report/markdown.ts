/** The report as Markdown: the tables and findings, for an issue, a wiki or a terminal. */
import { formatCount } from "../recipe/index.ts";
import type { ReportData, RunReport } from "./data.ts";
import { changeText, duration, forgettingMatrix, number, signed } from "./figures.ts";
import { GAP_HEAD, GAP_NOTE, gapCells, SEQUENCE_HEAD, SEQUENCE_NOTE, sequenceCells } from "./measures.ts";
import { verdicts } from "./verdict.ts";

export function markdownReport(data: ReportData): string {
  const { runs, title } = data;
  const sections = [
    `# ${escaped(title)}`,
    verdicts(data)
      .map((text) => `- ${escaped(text)}`)
      .join("\n"),
    outcomeTable(runs),
    ...runs.map(forgettingTable),
    sequenceTable(runs),
    gapTable(runs),
    ...runs.map(stageTable),
    ...runs.map(samples),
  ];
  return `${sections.filter((section) => section !== "").join("\n\n")}\n`;
}

/** Bits per byte before and after, and the change: one row per run. */
export function outcomeTable(runs: readonly RunReport[]): string {
  const corpora = [...new Set(runs.flatMap(({ scores }) => scores.map(({ corpus }) => corpus)))];
  if (corpora.length === 0) return "";
  return table(
    ["bits per byte", ...corpora.flatMap((corpus) => [`${corpus} before`, "after", "change"])],
    runs.map(({ variant, scores }) => [
      variant,
      ...corpora.flatMap((corpus) => {
        const score = scores.find((candidate) => candidate.corpus === corpus);
        if (score === undefined) return ["–", "–", "–"];
        return [number(score.before), number(score.after), changeText(score.change, score.changeLow, score.changeHigh)];
      }),
    ]),
  );
}

function forgettingTable({ variant, matrix }: RunReport): string {
  if (matrix.rows.length < 2) return "";
  const changes = forgettingMatrix(matrix.values);
  const cell = (t: number, i: number) => `${number(matrix.values[t]![i]!)}${t === 0 ? "" : ` (${signed(changes[t]![i]!)})`}`;
  const rows = matrix.rows.map((label, t) => [label, ...matrix.corpora.map((_, i) => cell(t, i))]);
  return `## Forgetting: ${escaped(variant)}\n\nBits per byte, and the change against the best earlier value.\n\n${table(["", ...matrix.corpora], rows)}`;
}

/** Measures over a sequence of stages, one row per run; nothing for runs of one stage. */
function sequenceTable(runs: readonly RunReport[]): string {
  const rows = runs.flatMap(({ variant, sequence }) => (sequence === null ? [] : [[variant, ...sequenceCells(sequence)]]));
  if (rows.length === 0) return "";
  return `## Over the sequence of stages\n\n${SEQUENCE_NOTE}\n\n${table(["", ...SEQUENCE_HEAD], rows)}`;
}

function gapTable(runs: readonly RunReport[]): string {
  const rows = runs.flatMap(({ variant, stabilityGaps }) => stabilityGaps.map((gap) => [variant, ...gapCells(gap)]));
  return rows.length === 0 ? "" : `## Stability gap\n\n${GAP_NOTE}\n\n${table(["", ...GAP_HEAD], rows)}`;
}

function stageTable({ variant, stages, events }: RunReport): string {
  if (stages.length === 0) return "";
  const rows = stages.map(({ name, startStep, endStep, tokens, startedAt, endedAt }) => [
    name,
    `${startStep} – ${endStep ?? "…"}`,
    tokens === 0 ? "…" : formatCount(tokens),
    endedAt === null ? "…" : duration(endedAt - startedAt),
  ]);
  const told = events.map(({ step, kind, message }) => `- step ${step}, ${escaped(kind)}: ${escaped(message)}`).join("\n");
  return `## Stages: ${escaped(variant)}\n\n${table(["stage", "steps", "tokens", "time"], rows)}${told === "" ? "" : `\n\n${told}`}`;
}

function samples({ variant, samples }: RunReport): string {
  if (samples.length === 0) return "";
  const quoted = samples.map(({ label, moment, prompt, text }) => {
    const lines = `${prompt}${text.startsWith(prompt) ? text.slice(prompt.length) : text}`.split("\n");
    return `**${escaped(label)}, ${moment}**\n\n${lines.map((line) => `> ${escaped(line)}`).join("\n")}`;
  });
  return `## Text: ${escaped(variant)}\n\n${quoted.join("\n\n")}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(escaped).join(" | ")} |`;
  return [line(head), `|${head.map((_, i) => (i === 0 ? "---" : "---:")).join("|")}|`, ...rows.map(line)].join("\n");
}

const escaped = (text: string) => text.replace(/[\\`*_{}[\]<>#|]/g, "\\$&");
