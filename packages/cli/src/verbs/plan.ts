import { dirname, resolve } from "node:path";
import type { PlanFile } from "perennial/plan";
import { loadRunPlan } from "../lazy.ts";
import { type StoreOptions, setOption, storeOption, verb } from "../verb.ts";

interface Options extends StoreOptions {
  set: string[];
  model?: string;
  domain?: string;
  general?: string;
  tokens?: string;
  output?: string;
  verify?: boolean;
  dryRun?: boolean;
  json?: boolean;
  quiet?: boolean;
}

const EXAMPLES = `
A plan file says the same as the options, and more:
  model: ./models/base
  corpora:
    domain: { path: ./data/welsh/*.jsonl.zst, language: cy }
    general: { path: ./data/english/*.jsonl.zst, language: en }
  tokens: 20M
  goal: { goal: keep-general, epsilon: 0.05 }   # or { goal: weighted, weight: 0.5 }, or { goal: split-domain }

Examples:
  perennial plan plan.yaml --dry-run            what would be trained, and how long that takes
  perennial plan plan.yaml                      pilots, laws, a recommended mixture and its recipe
  perennial plan plan.yaml --verify             and a test of the recommendation against two other shares
  perennial plan plan.yaml --set goal='{goal: split-domain, domainTokens: 500000}'   how much old text to add to this much new text
  perennial plan --model ./base --domain new.jsonl --general old.jsonl --tokens 2M --set train.schedule.maxLearningRate=1e-3
The same command goes on where it stopped; nothing that is trained is trained again.`;

export default verb((command, effects) => {
  storeOption(setOption(command))
    .argument("[plan]", "the plan, a YAML file")
    .option("--model <folder>", "the model to continue from")
    .option("--domain <path>", "the new text: file, folder or glob")
    .option("--general <path>", "text like what the model knows")
    .option("--tokens <count>", "budget of the training that is planned, e.g. 20M")
    .option("--output <folder>", "where recipe, report and pilots go; default: plans/NAME")
    .option("--verify", "train at the recommended and two other shares; shows predicted beside measured")
    .option("--dry-run", "only say what would be trained, and what it costs")
    .option("--quiet", "only warnings and the result")
    .option("--json", "the result, or with --dry-run the outline, as JSON")
    .addHelpText("after", EXAMPLES)
    .action(async (path: string | undefined, options: Options) => {
      const { plan, baseFolder } = await planOf(path, options, effects.cwd);
      const { describePlan, makePlan } = await loadRunPlan();
      await (options.dryRun === true ? describePlan : makePlan)(plan, baseFolder, options, effects);
    });
});

/** From a file, with options over it; or from the options alone, then relative to where the command is called. */
async function planOf(path: string | undefined, options: Options, cwd: string): Promise<{ plan: PlanFile; baseFolder: string }> {
  const { loadPlan, resolvePlan } = await import("perennial/plan");
  const { model, domain, general, tokens, output, set } = options;
  const given = { model, "corpora.domain.path": domain, "corpora.general.path": general, tokens, output };
  if (path === undefined) {
    const corpus = (from: string | undefined) => (from === undefined ? undefined : { path: from });
    const spec = { model, corpora: { domain: corpus(domain), general: corpus(general) }, tokens, output };
    // What is missing is told by the schema, field by field.
    return { plan: resolvePlan(JSON.parse(JSON.stringify(spec)), { set }), baseFolder: cwd };
  }
  const file = resolve(cwd, path);
  const absolute = (name: string, value: string) => (name === "tokens" ? value : resolve(cwd, value));
  const flags = Object.entries(given).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${JSON.stringify(absolute(name, value))}`],
  );
  return { plan: loadPlan(file, { set: [...flags, ...set] }), baseFolder: dirname(file) };
}
