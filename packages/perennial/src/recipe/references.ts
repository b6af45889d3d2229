/** What a schema cannot say: names that must exist, fields of which exactly one is given, shares that must add up. */
import { type FieldErrorData, nearest } from "../errors.ts";
import type { Locate } from "./problems.ts";
import { formatPath, type Path } from "./tree.ts";

type Map = Record<string, unknown>;
const map = (value: unknown): Map => (typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Map) : {});
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** Reads the recipe as written, so that it also finds mistakes in one whose types are wrong elsewhere. */
export function referenceProblems(recipe: unknown, locate: Locate): FieldErrorData[] {
  const root = map(recipe);
  const corpora = Object.keys(map(root.corpora));
  const problems: FieldErrorData[] = [];
  const report = (path: Path, problem: Omit<FieldErrorData, "at">) =>
    problems.push({ at: `${locate(path)} ${formatPath(path)}`, ...problem });

  const corpus = (path: Path, name: unknown) => {
    if (typeof name !== "string" || corpora.includes(name)) return;
    const near = nearest(name, corpora);
    report(path, {
      expected: `the name of a corpus (${corpora.join(", ")})`,
      received: name,
      ...(near === undefined ? {} : { todo: `did you mean ${near}?` }),
    });
  };
  const names = (path: Path, value: unknown) => {
    for (const [i, name] of list(value).entries()) corpus([...path, i], name);
  };
  const exactlyOne = (path: Path, value: Map, fields: readonly string[], needed: boolean) => {
    const given = fields.filter((field) => value[field] !== undefined);
    if (given.length > 1)
      report([...path, given[1]!], { expected: `only one of ${fields.join(" and ")}`, todo: `remove ${given.join(" or ")}` });
    if (given.length === 0 && needed)
      report(path, {
        expected: `${fields.join(" or ")}`,
        todo: `say how long to train, e.g. ${fields[0]}: 2M, here or in the recipe's own train`,
      });
  };

  if (typeof root.model !== "string" && (root.tokenizer === undefined || root.tokenizer === "model") && root.model !== undefined)
    report(root.tokenizer === undefined ? ["model"] : ["tokenizer"], {
      expected: "a tokenizer",
      todo: "a fresh model has none of its own: write `tokenizer: bytes`, a path, or `tokenizer: { train: { vocabSize: 8k } }`",
    });
  names(["tokenizer", "train", "corpora"], map(map(root.tokenizer).train).corpora);
  const extend = map(map(root.tokenizer).extend);
  names(["tokenizer", "extend", "corpora"], extend.corpora);
  names(["tokenizer", "extend", "keep"], extend.keep);
  names(["evaluate", "corpora"], map(root.evaluate).corpora);

  const seen = new Set<unknown>();
  for (const [i, item] of list(root.stages).entries()) {
    const stage = map(item);
    const path = ["stages", i] as const;
    if (stage.name !== undefined && seen.has(stage.name))
      report([...path, "name"], { expected: "a name no other stage has", received: stage.name });
    seen.add(stage.name);
    exactlyOne([...path, "train"], map(stage.train), ["tokens", "steps"], true);
    exactlyOne([...path, "train"], map(stage.train), ["gradientAccumulationSteps", "tokensPerStep"], false);
    const { newRows } = map(stage.train);
    if (newRows !== undefined && newRows !== null && (root.tokenizer === "bytes" || map(root.tokenizer).train !== undefined))
      report([...path, "train", "newRows"], {
        expected: "a tokenizer with new tokens: tokenizer.extend, or a model whose tokenizer was extended before",
        todo: "here all rows are new",
      });

    const mixture = map(stage.mixture);
    const sources = list(mixture.sources).map(map);
    const sourcesPath = [...path, "mixture", "sources"] as const;
    for (const [j, source] of sources.entries()) {
      corpus([...sourcesPath, j, "corpus"], source.corpus);
      if (sources.findIndex((other) => other.corpus === source.corpus) < j)
        report([...sourcesPath, j, "corpus"], { expected: "each corpus once", received: source.corpus });
    }
    const shares = sources.map(({ share }) => share).filter((share) => typeof share === "number");
    const sum = shares.reduce((total, share) => total + share, 0);
    if (shares.length > 0 && shares.length < sources.length)
      report(sourcesPath, {
        expected: "a share for every source or for none",
        todo: `${sources.length - shares.length} of ${sources.length} have none`,
      });
    else if (shares.length > 0 && Math.abs(sum - 1) > 1e-6)
      report(sourcesPath, {
        expected: "shares that sum to 1",
        received: Number(sum.toFixed(6)),
        todo: "replay is not counted here: it takes its share of the whole",
      });
    const sampling = map(mixture.sampling).sampling ?? "temperature";
    if (shares.length > 0 && sampling !== "temperature" && sampling !== "topics")
      report([...path, "mixture", "sampling"], {
        expected: `sources without shares: ${sampling} decides them`,
        todo: "remove the shares, or the sampling",
      });
    for (const [j, { order }] of sources.entries())
      if (
        map(order).order === "related" &&
        (mixture.attention !== "across-documents" || (mixture.packing ?? "concatenate") !== "concatenate")
      )
        report([...sourcesPath, j, "order"], {
          expected: "attention: across-documents and packing: concatenate in this mixture",
          todo: "related documents help only where they see each other",
        });
    const replay = map(mixture.replay);
    names([...path, "mixture", "replay", "corpora"], replay.corpora);
    for (const [j, name] of list(replay.corpora).entries())
      if (sources.some((source) => source.corpus === name))
        report([...path, "mixture", "replay", "corpora", j], { expected: "old text that is not among the sources", received: name });
    for (const [j, change] of list(mixture.changes).entries())
      for (const name of Object.keys(map(map(change).shares))) corpus([...path, "mixture", "changes", j, "shares", name], name);
    for (const [j, rule] of list(stage.rules).entries()) corpus([...path, "rules", j, "corpus"], map(rule).corpus);
  }

  const variants = new Set<unknown>(["main"]);
  for (const [i, baseline] of list(root.baselines).entries()) {
    const { name } = map(baseline);
    if (name !== undefined && variants.has(name))
      report(["baselines", i, "name"], { expected: "a name of its own, other than main", received: name });
    variants.add(name);
  }
  const trunks = [...variants];
  for (const [i, item] of list(root.branches).entries()) {
    const branch = map(item);
    const { name, from = "main", stage } = branch;
    const path = ["branches", i] as const;
    if (name !== undefined && variants.has(name))
      report([...path, "name"], { expected: "a name that no other variant has", received: name });
    variants.add(name);
    if (!trunks.includes(from))
      report([...path, "from"], { expected: `main or the name of a baseline (${trunks.join(", ")})`, received: from });
    if (stage !== undefined && !seen.has(stage))
      report([...path, "stage"], { expected: `the name of a stage (${[...seen].join(", ")})`, received: stage });
    const given = ["step", "stage"].filter((field) => branch[field] !== undefined);
    if (given.length !== 1) report(path, { expected: "step or stage: where the branch leaves its trunk", received: given });
  }
  return problems;
}
