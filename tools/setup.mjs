/**
 * Makes a fresh clone ready: `node tools/setup.mjs` needs Node and nothing else. It may be interrupted and run again, also twice at a time;
 * what stands is left alone, so that `npm test` and `npm run quickstart` can afford to run it first.
 */
import { torchAddon } from "../packages/torch/setup/addon.mjs";
import { elapsed, runTool } from "../packages/torch/setup/say.mjs";
import { addonsStep, LIBTORCH_HELP, libtorchStep, OPTIONS_HELP, runSetUp, toolsStep } from "../packages/torch/setup/steps.mjs";
import { dependenciesAreInstalled, installDependencies } from "./setup/npm.mjs";
import { textAddon } from "./setup/text-addon.mjs";
import { buildTypescript } from "./setup/typescript.mjs";

/** @typedef {import("../packages/torch/setup/steps.mjs").Done} Done */

const HELP = `npm run setup -- [options]      makes this clone ready to run

${OPTIONS_HELP}

It installs the npm dependencies, finds or fetches libtorch, and builds the native addons and the packages.
${LIBTORCH_HELP}`;

/**
 * @param {{ system: boolean }} options
 * @returns {Promise<Done[]>}
 */
async function work(options) {
  const tools = await toolsStep();
  const [dependencies, { libtorch, done }] = await together(dependenciesStep(), libtorchStep(options));
  const [addons, packages] = await together(addonsStep([torchAddon(libtorch), textAddon()]), typescriptStep());
  return [...tools, dependencies, done, addons, packages];
}

/**
 * Both results; where one fails, only once the other has ended, since the lock must cover it.
 * @template A, B
 * @param {Promise<A>} a
 * @param {Promise<B>} b
 * @returns {Promise<[A, B]>}
 */
async function together(a, b) {
  await Promise.allSettled([a, b]);
  return [await a, await b];
}

/** @returns {Promise<Done>} */
async function dependenciesStep() {
  const what = "npm packages";
  if (dependenciesAreInstalled()) return { what, state: "up to date", changed: false };
  const began = performance.now();
  console.log("installing the npm packages");
  await installDependencies();
  return { what, state: `installed in ${elapsed(began)}`, changed: true };
}

/** @returns {Promise<Done>} */
async function typescriptStep() {
  const began = performance.now();
  const compiled = await buildTypescript();
  return { what: "TypeScript", state: compiled ? `compiled in ${elapsed(began)}` : "up to date", changed: compiled };
}

await runTool(() => runSetUp({ args: process.argv.slice(2), help: HELP, askForHelp: "npm run setup -- --help", work }));
