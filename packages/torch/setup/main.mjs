/**
 * `perennial-torch setup`: makes the installed package ready to run, wherever npm has put it. It may be interrupted and run again;
 * what stands is left alone.
 */
import { torchAddon } from "./addon.mjs";
import { runTool } from "./say.mjs";
import { addonsStep, LIBTORCH_HELP, libtorchStep, OPTIONS_HELP, runSetUp, toolsStep } from "./steps.mjs";

const HELP = `perennial-torch setup [options]      finds or fetches libtorch, and compiles the addon against it

${OPTIONS_HELP}

A C++ compiler (g++ 11 or newer, or clang) is needed, and python3 with pip where libtorch has to be fetched.
${LIBTORCH_HELP}`;

/**
 * @param {{ system: boolean }} options
 * @returns {Promise<import("./steps.mjs").Done[]>}
 */
async function work(options) {
  const tools = await toolsStep();
  const { libtorch, done } = await libtorchStep(options);
  return [...tools, done, await addonsStep([torchAddon(libtorch)])];
}

await runTool(() => runSetUp({ args: process.argv.slice(3), help: HELP, askForHelp: "npx perennial-torch setup --help", work }));
