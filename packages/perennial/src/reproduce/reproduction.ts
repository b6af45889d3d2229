/**
 * A reproduction: a published claim, put to the test on real text under one budget. Arms (the method and its baselines) run once for each
 * seed; one arm with one seed is a cell. A claim is a number that each seed gives from the arms' measurements, and what that number must be.
 */
import type { Listener } from "../run/index.ts";

/** What is the same for all cells of a call. */
export interface Settings {
  /** Factor on every budget of tokens; 1 is the reproduction's own. */
  readonly tokens: number;
  /** Hidden size of the small model. */
  readonly width: number;
}

export interface Cell {
  /** By key, e.g. `basque`: bits per byte. */
  readonly measurements: Readonly<Record<string, number>>;
  /** By the same keys: a value for each held-out document, whose mean is the measurement (`documentScores` makes them). */
  readonly documents?: Readonly<Record<string, readonly number[]>>;
  /** Lines over training, drawn as one chart per name. */
  readonly curves?: Readonly<Record<string, Curve>>;
}

export interface Curve {
  readonly x: readonly number[];
  readonly y: readonly number[];
}

/** A measurement of one seed. */
export type Reading = (arm: string, key: string) => number;

/** `above`: the value is larger than the threshold. `within`: it differs from 0 by no more than the bound. */
export type Expectation = { readonly above: number } | { readonly within: number };

export interface Claim {
  readonly id: string;
  /** What the source says, as a sentence whose truth the value decides. */
  readonly statement: string;
  /** How the value is made, for the reader of the table, e.g. `A without replay − A with 5 %`. */
  readonly quantity: string;
  readonly unit: string;
  readonly expect: Expectation;
  value(of: Reading): number;
}

export interface Arm {
  readonly name: string;
  readonly label: string;
}

export interface Measurement {
  readonly key: string;
  readonly label: string;
  readonly unit: string;
  readonly digits?: number;
}

export interface ChartText {
  /** Of the curve in the cells. */
  readonly curve: string;
  readonly title: string;
  readonly x: string;
  readonly y: string;
  /** Arms that are drawn; all unless given. */
  readonly arms?: readonly string[];
  readonly marks?: (settings: Settings) => readonly { x: number; label: string }[];
}

export interface CellContext {
  /** Of this cell alone; it goes when the cell is finished. A killed cell finds here what it had. */
  readonly folder: string;
  /** Kept between cells and reproductions: base models, texts made from the real ones. */
  readonly sharedFolder: string;
  /** Kept between cells that follow one another: tokenized text. */
  readonly tokensFolder: string;
  readonly listen: Listener;
  readonly signal: AbortSignal | undefined;
}

/** `Inputs`: plain JSON that says all that a cell computes from; with the texts it is the cell's identity. */
export interface Reproduction<Inputs = unknown> {
  /** Of the method; `perennial reproduce NAME`. */
  readonly name: string;
  readonly title: string;
  /** Paper, with its address. */
  readonly source: string;
  /** What is asked and how it is set up, in a few sentences. */
  readonly setup: string;
  /** Names of the texts (`realText`) that cells read. */
  readonly texts: readonly string[];
  readonly arms: readonly Arm[];
  readonly measurements: readonly Measurement[];
  readonly claims: readonly Claim[];
  readonly charts: readonly ChartText[];
  /** Of computing at the full budget with hidden size 64 and three seeds: one thread of the machine that the pages in docs/results name. */
  readonly minutes: number;
  inputs(arm: string, seed: number, settings: Settings): Inputs;
  run(inputs: Inputs, context: CellContext): Promise<Cell>;
}

/** A cell was asked to stop, and has saved what it had. */
export class ReproductionStopped extends Error {}

/** Keeps the type of the inputs where a reproduction is defined. */
export const defineReproduction = <Inputs>(reproduction: Reproduction<Inputs>): Reproduction<Inputs> => reproduction;
