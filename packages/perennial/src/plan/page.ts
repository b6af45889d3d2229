/** The plan as one HTML file: what is recommended and how sure that is, the curves behind it, and what a verification measured. */
import {
  budgetAt,
  lossSurface,
  type MixturePlan,
  pointsOf,
  predictDcpt,
  type RatioCurvePoint,
  ratioCurve,
  residualsOf,
  type Verification,
} from "../mixture/laws/index.ts";
import { formatCount } from "../recipe/index.ts";
import { type Content, html, type Markup } from "../report/html.ts";
import { type ChartSpec, chart, htmlPage, type Line, number, signed } from "../report/index.ts";
import type { PlanOutline } from "./run-plan.ts";
import type { PlanFile } from "./schema.ts";

type Corpus = "domain" | "general";
const CORPORA = ["domain", "general"] as const;
const SHARE = "domain share of the tokens";
const LOSS = "nats per token";

export function planPage(file: PlanFile, outline: PlanOutline, plan: MixturePlan, verification: Verification | null): string {
  const { options } = plan;
  return htmlPage(
    `${file.name} – Perennial plan`,
    html`<header><p class="brand">Perennial</p><h1>${file.name}: which mixture?</h1>
<p class="sub">${formatCount(options.budgetTokens)} tokens planned · ${String(plan.pilots.length)} pilots of ${formatCount(plan.pilots[0]!.tokens)} tokens · goal: ${goalText(plan)}</p></header>
${recommendationSection(plan)}
${verification === null ? null : verificationSection(plan, verification)}
${section("Loss over the share", `${options.goal.goal === "split-domain" ? `Each share with the tokens that go with it, at most ${formatCount(options.budgetTokens)}` : `At the planned ${formatCount(options.budgetTokens)} tokens`}. Dashed: 90 % of the bootstrap refits.`, ratioChart(plan, verification))}
${section("What is given for what", "Each point is a domain share; on the line no other share is better at both.", paretoChart(plan, verification))}
${section(
  "Loss over the tokens",
  "Lines: the fitted law at each pilot's share, up to the planned budget. Points: what the pilots measured.",
  CORPORA.map((corpus) => tokenChart(plan, corpus)),
)}
${section(
  "Loss surfaces",
  "Fitted loss by domain share and tokens; the last column is the planned budget.",
  CORPORA.map((corpus) => surfaceTable(plan, corpus)),
)}
${section("Residuals", "Measured against fitted loss of every pilot checkpoint, in percent. A pattern here is something the law cannot say.", residualChart(plan))}
${section("How good are the laws?", undefined, goodnessTable(plan))}
${section("Pilots", `${SHARING[outline.sharing]} Losses in ${LOSS}.`, pilotTable(plan))}
<footer>The laws are fitted to this model, this text and this schedule; they say nothing about others.</footer>`,
  );
}

const SHARING = {
  "on-the-way": "One run per share, measured at every budget on the way.",
  branches: "One trunk per share at a constant rate; every budget is annealed on a branch of its own.",
  separate: "A run per share and budget: this schedule depends on its length from the first step on.",
} as const;

function section(title: string, note: string | undefined, content: Content): Markup {
  return html`<section><h2>${title}</h2>${note === undefined ? null : html`<p class="note">${note}</p>`}${content}</section>`;
}

export function goalText({ options: { goal, domainTokens } }: MixturePlan): string {
  if (goal.goal === "split-domain")
    return `lowest domain loss of ${formatCount(Math.round(goal.domainTokens ?? domainTokens))} domain tokens with general text beside them`;
  if (goal.goal === "weighted") return `lowest ${goal.weight} · domain + ${Number((1 - goal.weight).toFixed(4))} · general loss`;
  return `lowest domain loss with the general loss at most ${goal.epsilon} nats above the base model's`;
}

const percent = (share: number | null) => (share === null ? "–" : `${(100 * share).toFixed(1)} %`);
const banded = (loss: { loss: number; low: number; high: number } | null) =>
  loss === null ? "–" : `${number(loss.loss)} (${number(loss.low)} to ${number(loss.high)})`;

function recommendationSection({ recommendation, cmr, compute, options }: MixturePlan): Markup {
  const { ratio, low, high, tokens, epochs, domainLoss, generalLoss, warnings } = recommendation;
  const rows: [string, string][] = [
    ["domain share", ratio === null ? "none keeps to the goal" : `${percent(ratio)} (90 %: ${percent(low)} to ${percent(high)})`],
    ...(options.goal.goal === "split-domain" ? [["tokens in all", formatCount(Math.round(tokens))] as [string, string]] : []),
    ["domain loss", banded(domainLoss)],
    ["general loss", banded(generalLoss)],
    ...(epochs === null
      ? []
      : [["passes over the text", `domain ${epochs.domain.toPrecision(2)}, general ${epochs.general.toPrecision(2)}`] as [string, string]]),
    ...(cmr === null
      ? []
      : [
          [
            "critical ratio (CMR law)",
            `${percent(cmr.critical.ratio)} at ${formatCount(cmr.maxTokens)} tokens, ${cmr.critical.boundBy ?? "nothing decided"}`,
          ] as [string, string],
        ]),
    ...(compute === null
      ? []
      : [
          [
            "for these operations at this share",
            `${formatCount(Math.round(compute.modelSize))} parameters and ${formatCount(Math.round(compute.tokens))} tokens have the lowest domain loss, ${number(compute.loss)}${compute.extrapolates.length > 0 ? ` (extrapolation in ${compute.extrapolates.join(" and ")})` : ""}`,
          ] as [string, string],
        ]),
    ["corpora", `domain ${formatCount(options.domainTokens)} tokens, general ${formatCount(options.generalTokens)}`],
  ];
  return section("Recommended", undefined, [
    html`<div class="scroll"><table><tbody>${rows.map(([name, value]) => html`<tr><th>${name}</th><td>${value}</td></tr>`)}</tbody></table></div>`,
    [...warnings, ...(cmr?.warnings ?? []).map((text) => `CMR law: ${text}`)].map((text) => html`<p class="note">${text}</p>`),
  ]);
}

function verificationSection({ options }: MixturePlan, { ratios, recommendedIsBest }: Verification): Markup {
  const head = ["domain share", "domain predicted", "measured", "error", "general predicted", "measured", "error", "goal"];
  const error = (relative: number, inBand: boolean) =>
    html`<td class="num">${signed(100 * relative, 2)} %${inBand ? "" : html` <small>outside the band</small>`}</td>`;
  return section(
    "Verified by training",
    `${recommendedIsBest ? "The recommended share has the best measured outcome of the three." : "Another share did better than the recommended one."} ${options.goal.goal === "split-domain" ? "Each was trained on the same domain tokens" : `Each was trained for ${formatCount(options.budgetTokens)} tokens`}; losses in ${LOSS}.`,
    html`<div class="scroll"><table><thead><tr>${head.map((text) => html`<th class="num">${text}</th>`)}</tr></thead><tbody>${ratios.map(
      ({ ratio, recommended, domain, general, allowed }) =>
        html`<tr><th class="num">${percent(ratio)}${recommended ? html`<br><small>recommended</small>` : null}</th>
<td class="num">${banded(domain.predicted)}</td><td class="num">${number(domain.measured)}</td>${error(domain.relativeError, domain.inBand)}
<td class="num">${banded(general.predicted)}</td><td class="num">${number(general.measured)}</td>${error(general.relativeError, general.inBand)}
<td class="num">${allowed ? "kept" : "missed"}</td></tr>`,
    )}</tbody></table></div>`,
  );
}

function ratioChart(plan: MixturePlan, verification: Verification | null): Markup {
  const { pair, recommendation, options } = plan;
  const lines = CORPORA.flatMap((corpus, color): Line[] => {
    const curve = ratioCurve(pair[corpus], pair.replicas[corpus], (ratio) => budgetAt(options, ratio)).filter(
      ({ ratio }) => ratio >= 0.02 && ratio <= 0.98,
    );
    const x = curve.map(({ ratio }) => ratio);
    const along = (of: (point: RatioCurvePoint) => number, dashed: boolean): Line => ({
      label: corpus,
      color,
      x,
      y: curve.map(of),
      dashed,
    });
    const measured = [...(verification?.ratios ?? [])].sort((a, b) => a.ratio - b.ratio);
    return [
      along(({ loss }) => loss, false),
      along(({ low }) => low, true),
      along(({ high }) => high, true),
      ...(measured.length === 0
        ? []
        : [
            {
              label: `${corpus}, measured`,
              color: color + 2,
              x: measured.map(({ ratio }) => ratio),
              y: measured.map((one) => one[corpus].measured),
              unjoined: true,
            },
          ]),
    ];
  });
  const base = plan.results[0]!.base.generalLoss;
  const limit: Line[] =
    options.goal.goal === "keep-general"
      ? [
          {
            label: "limit of the general loss",
            color: 5,
            x: [0.02, 0.98],
            y: Array(2).fill((options.goal.baseGeneralLoss ?? base) + options.goal.epsilon),
            dashed: true,
          },
        ]
      : [];
  const marks = recommendation.ratio === null ? [] : [{ x: recommendation.ratio, label: "recommended" }];
  return chart({ title: "Loss", x: SHARE, y: LOSS, lines: [...lines, ...limit], marks, height: 320 });
}

function paretoChart({ tradeOff, recommendation }: MixturePlan, verification: Verification | null): Markup {
  const byDomain = <T extends { readonly domainLoss: number }>(points: readonly T[]) =>
    [...points].sort((a, b) => a.domainLoss - b.domainLoss);
  const line = (
    label: string,
    color: number,
    points: readonly { domainLoss: number; generalLoss: number }[],
    shape: Partial<Line>,
  ): Line[] =>
    points.length === 0
      ? []
      : [{ label, color, x: byDomain(points).map((p) => p.domainLoss), y: byDomain(points).map((p) => p.generalLoss), ...shape }];
  const { domainLoss, generalLoss } = recommendation;
  const chosen = domainLoss === null || generalLoss === null ? [] : [{ domainLoss: domainLoss.loss, generalLoss: generalLoss.loss }];
  const measured = (verification?.ratios ?? []).map(({ domain, general }) => ({
    domainLoss: domain.measured,
    generalLoss: general.measured,
  }));
  return chart({
    title: "General loss",
    x: "domain loss, nats per token",
    y: LOSS,
    lines: [
      ...line("shares", 5, tradeOff, { unjoined: true }),
      ...line(
        "Pareto front",
        0,
        tradeOff.filter(({ efficient }) => efficient),
        {},
      ),
      ...line("recommended", 1, chosen, { unjoined: true }),
      ...line("measured", 2, measured, { unjoined: true }),
    ],
  });
}

function tokenChart(plan: MixturePlan, corpus: Corpus): Markup {
  const { pair, options } = plan;
  const points = pointsOf(plan.pilots, plan.results, corpus).filter(
    ({ modelSize }) => modelSize === undefined || modelSize === plan.pilots[0]!.modelSize,
  );
  const ratios = [...new Set(points.map(({ ratio }) => ratio))].sort((a, b) => a - b);
  const lines = ratios.flatMap((ratio, i): Line[] => {
    const own = points.filter((point) => point.ratio === ratio);
    const from = Math.min(...own.map(({ tokens }) => tokens));
    const x = Array.from({ length: 40 }, (_, j) => from * (options.budgetTokens / from) ** (j / 39));
    const size = own[0]!.modelSize;
    const at = (tokens: number) => predictDcpt(pair[corpus], { ratio, tokens, ...(size === undefined ? {} : { modelSize: size }) }).loss;
    return [
      { label: percent(ratio), color: i, x, y: x.map(at) },
      { label: percent(ratio), color: i, x: own.map(({ tokens }) => tokens), y: own.map(({ loss }) => loss), unjoined: true },
    ];
  });
  const spec: ChartSpec = {
    title: `${corpus} loss`,
    x: "tokens",
    y: LOSS,
    lines,
    marks: [{ x: plan.pilots[0]!.tokens, label: "pilots end" }],
  };
  return chart(spec);
}

const SURFACE_RATIOS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];
const SURFACE_BUDGETS = 6;

function surfaceTable(plan: MixturePlan, corpus: Corpus): Markup {
  const { pair, options, pilots } = plan;
  const first = pilots[0]!.checkpoints[0]!;
  const tokens = Array.from({ length: SURFACE_BUDGETS }, (_, i) => first * (options.budgetTokens / first) ** (i / (SURFACE_BUDGETS - 1)));
  const { modelSize } = options;
  const values = lossSurface(pair[corpus], SURFACE_RATIOS, tokens, modelSize);
  const [low, high] = [Math.min(...values.flat()), Math.max(...values.flat())];
  const cell = (value: number) =>
    html`<td class="num heat" style="--s:${Math.round((55 * (high - value)) / (high - low || 1))}%;--h:var(--good)">${number(value)}</td>`;
  return html`<h3>${corpus}</h3><div class="scroll"><table class="heatmap"><thead><tr><th>domain share</th>${tokens.map((count) => html`<th class="num">${formatCount(Math.round(count))}</th>`)}</tr></thead>
<tbody>${values.map((row, i) => html`<tr><th>${percent(SURFACE_RATIOS[i]!)}</th>${row.map(cell)}</tr>`)}</tbody></table></div>`;
}

function residualChart({ pair, pilots, results }: MixturePlan): Markup {
  const lines = CORPORA.map((corpus, color): Line => {
    const residuals = residualsOf(pair[corpus], pointsOf(pilots, results, corpus)).sort((a, b) => a.tokens - b.tokens);
    return {
      label: corpus,
      color,
      x: residuals.map(({ tokens }) => tokens),
      y: residuals.map(({ residual }) => 100 * residual),
      unjoined: true,
    };
  });
  return chart({ title: "Residuals", x: "tokens", y: "percent of the loss", lines, height: 200 });
}

function goodnessTable({ pair, heldOut, ahead }: MixturePlan): Markup {
  const head = [
    "law",
    "R² on the pilots",
    "Huber loss",
    "R² on shares left out",
    "Huber, left out",
    "Huber of the nearest pilot",
    "error on the largest budgets, left out",
  ];
  return html`<div class="scroll"><table><thead><tr>${head.map((text, i) => html`<th class="${i === 0 ? "" : "num"}">${text}</th>`)}</tr></thead><tbody>${CORPORA.map(
    (corpus) => {
      const { goodness } = pair[corpus];
      const held = heldOut[corpus];
      const cells = [
        number(goodness.rSquared ?? Number.NaN, 4),
        goodness.huber.toExponential(2),
        held === null ? "–" : number(held.law.pooled.rSquared ?? Number.NaN, 4),
        held === null ? "–" : held.law.pooled.huber.toExponential(2),
        held === null ? "–" : held.nearestPilot.pooled.huber.toExponential(2),
        `${number(100 * ahead[corpus].pooled.relativeError, 2)} %`,
      ];
      return html`<tr><th>${corpus}</th>${cells.map((text) => html`<td class="num">${text}</td>`)}</tr>`;
    },
  )}</tbody></table></div>`;
}

function pilotTable({ pilots, results }: MixturePlan): Markup {
  const sized = pilots.some(({ modelSize }) => modelSize !== undefined);
  return html`<div class="scroll"><table><thead><tr><th>domain share</th>${sized ? html`<th class="num">parameters</th>` : null}<th class="num">tokens</th><th class="num">domain loss</th><th class="num">general loss</th></tr></thead>
<tbody>${pilots.map((pilot, i) => {
    const { base, checkpoints } = results[i]!;
    const last = checkpoints.at(-1)!;
    return html`<tr><th>${percent(pilot.ratio)}</th>${sized ? html`<td class="num">${formatCount(pilot.modelSize!)}</td>` : null}<td class="num">${formatCount(last.tokens)}</td>
<td class="num">${number(base.domainLoss)} → <b>${number(last.domainLoss)}</b></td><td class="num">${number(base.generalLoss)} → <b>${number(last.generalLoss)}</b></td></tr>`;
  })}</tbody></table></div>`;
}
