/** The CMR law on pilots of a small model. Source: arXiv 2407.17467, specification `cmr-law`. */
import { type CmrFit, evaluatePower, fitCmr, fitPower, type TurningPoint } from "../../mixture/laws/index.ts";
import { defineReproduction, type Reading } from "../reproduction.ts";
import { PILOTS, pilotArms, pilotCell, pilotCharts, pilotInputs, pilotMeasurements, pilotPoints } from "./mixture-pilots.ts";

/** The share that the fit of the ratio law does not see. */
const HELD_OUT = "share-25";
const SEEN = Object.keys(PILOTS).filter((arm) => arm !== HELD_OUT);

/** Relative error at the held-out share, in percent. */
function heldOutError(of: Reading, corpus: "basque" | "english"): number {
  const law = fitPower(SEEN.map((arm) => PILOTS[arm]!), SEEN.map((arm) => of(arm, corpus))); // biome-ignore format: one line
  return 100 * Math.abs(evaluatePower(law, PILOTS[HELD_OUT]!) / of(HELD_OUT, corpus) - 1);
}

const nearestError = (of: Reading, corpus: "basque" | "english"): number =>
  100 * Math.abs(of("share-33", corpus) / of(HELD_OUT, corpus) - 1);

const fitOf = (of: Reading): CmrFit =>
  fitCmr({
    domain: pilotPoints(of, "basque"),
    general: pilotPoints(of, "english"),
    base: { domain: of(SEEN[0]!, "basque@0"), general: of(SEEN[0]!, "english@0") },
  });

const turningTokens = (turning: TurningPoint): number =>
  turning.kind === "at" ? turning.tokens : turning.kind === "never" ? Number.POSITIVE_INFINITY : 0;

/** Of the general loss, in bits per byte: how far it has come down again from its peak at the end of the budget. */
const turnedDown = (of: Reading, arm: string): number => {
  const along = Array.from({ length: 10 }, (_, i) => of(arm, `english@${i + 1}`));
  return Math.max(...along) - along.at(-1)!;
};

export const cmrLaw = defineReproduction({
  name: "cmr-law",
  title: "The critical mixture ratio",
  source:
    "Gu et al., [CMR Scaling Law: Predicting Critical Mixture Ratios for Continual Pre-training](https://arxiv.org/abs/2407.17467), EMNLP 2024",
  setup:
    "A model that has read English help pages goes on with Basque and English at five shares, at a constant rate, so that every measurement " +
    "is a budget of its own. The ratio law is fitted to four shares and predicts the fifth, 25 %; the token laws give each share's turning " +
    "point T₀ after which the weighted loss falls. The baseline is the nearest share that was trained. Losses are in bits per byte: a constant factor, " +
    "which changes no error in percent.",
  texts: ["basque", "english"],
  arms: pilotArms,
  measurements: pilotMeasurements,
  claims: [
    {
      id: "ratio-law",
      statement: "The ratio law predicts the domain loss at a share that it has not seen within half a percent",
      quantity: "error at 25 % Basque",
      unit: "percent",
      expect: { within: 0.5 },
      value: (of) => heldOutError(of, "basque"),
    },
    {
      id: "ratio-law-general",
      statement: "So it does for the general loss",
      quantity: "error at 25 % Basque",
      unit: "percent",
      expect: { within: 0.5 },
      value: (of) => heldOutError(of, "english"),
    },
    {
      id: "better-than-nearest",
      statement: "The ratio law predicts better than the nearest share that was trained",
      quantity: "domain error: nearest share − law",
      unit: "percent",
      expect: { above: 0 },
      value: (of) => nearestError(of, "basque") - heldOutError(of, "basque"),
    },
    {
      id: "turns-down",
      statement: "The general loss rises first and turns down within the budget at a small domain share",
      quantity: "English at 12.5 % Basque: peak − end",
      unit: "bits per byte",
      expect: { above: 0 },
      value: (of) => turnedDown(of, "share-12"),
    },
    {
      id: "turning-points-ascend",
      statement: "The larger the domain share, the later the turning point",
      quantity: "shares whose T₀ comes before that of a smaller share",
      unit: "shares",
      expect: { within: 0.5 },
      value: (of) => {
        const points = fitOf(of).verdicts.map(({ turning }) => turningTokens(turning));
        return points.filter((tokens, i) => tokens < Math.max(...points.slice(0, i), 0)).length;
      },
    },
  ],
  charts: pilotCharts,
  minutes: 4,
  inputs: pilotInputs,
  run: pilotCell,
});
