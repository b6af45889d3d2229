/** Builds the native addons, without node-gyp or cmake: `node tools/build-native.mjs [torch|text]`, both without an argument. Never fetches anything. */
import { torchAddon } from "../packages/torch/setup/addon.mjs";
import { standingChoice, writeConfig } from "../packages/torch/setup/config.mjs";
import { findLibtorch, triedLines } from "../packages/torch/setup/libtorch.mjs";
import { runTool, SetupError } from "../packages/torch/setup/say.mjs";
import { buildAddons } from "../packages/torch/setup/steps.mjs";
import { textAddon } from "./setup/text-addon.mjs";

/** The libtorch chosen before, else the first one found. */
async function chooseLibtorch() {
  const { libtorch, tried } = standingChoice({}) ?? (await findLibtorch());
  if (libtorch === undefined) throw new SetupError(`There is no libtorch yet.\n${triedLines(tried)}`, "npm run setup, which fetches one");
  writeConfig({ libtorch, tried });
  return libtorch;
}

await runTool(async () => {
  const names = process.argv.slice(2);
  if (names.length > 1 || (names[0] !== undefined && names[0] !== "torch" && names[0] !== "text")) {
    throw new SetupError(`Expected one addon, torch or text, received ${names.join(" ")}.`, "node tools/build-native.mjs [torch|text]");
  }
  const addons = [...(names[0] === "text" ? [] : [torchAddon(await chooseLibtorch())]), ...(names[0] === "torch" ? [] : [textAddon()])];
  const built = await buildAddons(addons);
  console.log(built.length === 0 ? "nothing to build" : built.join("\n"));
});
