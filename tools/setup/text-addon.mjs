/** The addon of the package perennial, which does not need libtorch. */
import { join } from "node:path";
import { napiFlags } from "../../packages/torch/setup/addon.mjs";
import { repository } from "./repository.mjs";

const folder = join(repository, "packages/perennial");

/** @returns {import("../../packages/torch/setup/compile.mjs").Addon} */
export const textAddon = () => ({
  name: "text.node",
  against: "",
  sources: join(folder, "native"),
  output: join(folder, "build/text.node"),
  compileFlags: ["-std=c++20", "-O3", "-pthread", ...napiFlags()],
  linkFlags: ["-pthread"],
});
