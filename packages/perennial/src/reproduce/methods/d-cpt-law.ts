/** The D-CPT law on pilots of a small model. Source: arXiv 2406.01375, specification `d-cpt-law`. */
import { type DcptForm, fitDcpt, type HeldOutError, holdOut, keepingGeneral, nearestPilot, predictDcpt } from "../../mixture/laws/index.ts";
import { defineReproduction, type Reading } from "../reproduction.ts";
import { PILOTS, pilotArms, pilotCell, pilotCharts, pilotInputs, pilotMeasurements, pilotPoints } from "./mixture-pilots.ts";

const CORPORA = { basque: "domain", english: "general" } as const;
type Name = keyof typeof CORPORA;

/** Each inner share is predicted by a fit to the others. */
const heldOut = (of: Reading, name: Name, form: DcptForm = "l3"): HeldOutError =>
  holdOut(pilotPoints(of, name), "ratio", (kept) => {
    const fit = fitDcpt(kept, { corpus: CORPORA[name], form });
    return (query) => predictDcpt(fit, query).loss;
  });

const SHARES = Object.values(PILOTS);
const BUDGET = Math.round(100 * 1.25 ** 9);

/** As the planner does: not far beyond the trained shares, least of all at 0, where the law's share term vanishes. */
const WITHIN = { low: SHARES[0]! / 2, high: (1 + SHARES.at(-1)!) / 2 };

/** The general loss may end this much above the base's: half of the way between the smallest and the largest share's. */
function limitOf(of: Reading): number {
  return (of("share-12", "english") + of("share-75", "english")) / 2;
}

/** The share that keeps the limit by the law, and by straight lines between the measured shares. */
function recommended(of: Reading): { law: number; measured: number } {
  const fits = {
    domain: fitDcpt(pilotPoints(of, "basque"), { corpus: "domain" }),
    general: fitDcpt(pilotPoints(of, "english"), { corpus: "general" }),
  };
  const at = (fit: typeof fits.domain) => (ratio: number) => predictDcpt(fit, { ratio, tokens: BUDGET }).loss;
  const law = keepingGeneral({ domain: at(fits.domain), general: at(fits.general) }, limitOf(of), WITHIN) ?? 0;
  const losses = Object.keys(PILOTS).map((arm) => of(arm, "english"));
  const i = Math.max(
    1,
    losses.findIndex((loss) => loss > limitOf(of)),
  );
  const part = (limitOf(of) - losses[i - 1]!) / (losses[i]! - losses[i - 1]!);
  return { law, measured: SHARES[i - 1]! + part * (SHARES[i]! - SHARES[i - 1]!) };
}

export const dCptLaw = defineReproduction({
  name: "d-cpt-law",
  title: "The D-CPT law",
  source:
    "Que et al., [D-CPT Law: Domain-specific Continual Pre-Training Scaling Law for Large Language Models](https://arxiv.org/abs/2406.01375), NeurIPS 2024",
  setup:
    "The law is fitted to pilots at five shares of Basque and English, ten budgets each, of one model (the term of its size is part of E). Every inner share is " +
    "predicted by a fit to the other four. Baselines: the additive form of the law, and the nearest pilot. The recommendation is compared " +
    "with straight lines between the measured shares. Losses are in bits per byte.",
  texts: ["basque", "english"],
  arms: pilotArms,
  measurements: pilotMeasurements,
  claims: [
    {
      id: "held-out-domain",
      statement: "Held-out shares of the domain loss are predicted with R² above 0.95",
      quantity: "R² on held-out shares, Basque",
      unit: "",
      expect: { above: 0.95 },
      value: (of) => heldOut(of, "basque").pooled.rSquared ?? Number.NaN,
    },
    {
      id: "held-out-general",
      statement: "Held-out shares of the general loss are predicted with R² above 0.95",
      quantity: "R² on held-out shares, English",
      unit: "",
      expect: { above: 0.95 },
      value: (of) => heldOut(of, "english").pooled.rSquared ?? Number.NaN,
    },
    {
      id: "better-than-additive",
      statement: "The interaction of share and tokens predicts better than an additive law",
      quantity: "Huber loss on held-out shares, Basque: additive / law − 1",
      unit: "",
      expect: { above: 0 },
      value: (of) => heldOut(of, "basque", "additive").pooled.huber / heldOut(of, "basque").pooled.huber - 1,
    },
    {
      id: "better-than-nearest",
      statement: "The law predicts better than the nearest pilot",
      quantity: "Huber loss on held-out shares, Basque: nearest / law − 1",
      unit: "",
      expect: { above: 0 },
      value: (of) => holdOut(pilotPoints(of, "basque"), "ratio", nearestPilot).pooled.huber / heldOut(of, "basque").pooled.huber - 1,
    },
    {
      id: "recommendation",
      statement: "The share that keeps the general loss within a limit is found within 7 points",
      quantity: "share by the law − share by interpolation",
      unit: "",
      expect: { within: 0.07 },
      value: (of) => {
        const { law, measured } = recommended(of);
        return law - measured;
      },
    },
  ],
  charts: pilotCharts,
  minutes: 4,
  inputs: pilotInputs,
  run: pilotCell,
});
