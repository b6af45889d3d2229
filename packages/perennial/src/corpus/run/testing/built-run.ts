/**
 * The library as it is built, with a program that runs a recipe and tells its progress, for tests that kill it: a life takes a fifth of a second
 * to start. Each test file builds its own, beside the native addon's folder, where a build would lie.
 */
import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BuildOptions, build } from "esbuild";
import type { CorpusRecipeInput } from "../recipe.ts";

export interface Life {
  readonly folder: string;
  readonly recipe: CorpusRecipeInput;
  readonly workers: number;
  /** SIGKILL so long after its first safe step. */
  readonly afterMilliseconds?: number | undefined;
  /** Largest file in blocks of 1024 bytes, as of a full disk. */
  readonly maxFileBlocks?: number;
}

export interface Death {
  readonly end: "finished" | "killed" | "failed";
  readonly errors: string;
}

export interface BuiltRun {
  live(life: Life): Promise<Death>;
  remove(): void;
}

/** `threads`: the worker too, which has one name; one test file only can ask for it. */
export async function buildRun(name: string, { threads = false } = {}): Promise<BuiltRun> {
  const here = fileURLToPath(new URL("../", import.meta.url));
  const built = fileURLToPath(new URL("../../../../build/", import.meta.url));
  const program = join(built, `${name}.js`);
  const worker = join(built, "worker.js");
  const common: BuildOptions = {
    bundle: true,
    minify: true,
    platform: "node",
    format: "esm",
    logLevel: "silent",
    banner: { js: 'import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);' },
  };
  const contents = `
    import { runCorpus } from "./run.ts";
    const { folder, recipe, workers } = JSON.parse(process.argv[2]);
    try {
      await runCorpus(folder, recipe, { workers, onCheckpoint: () => console.log("checkpoint"), onTask: () => console.log("task") });
      console.log("finished");
    } catch (error) {
      console.error(error.message);
      process.exitCode = 1;
    }`;
  await build({ ...common, stdin: { contents, resolveDir: here, loader: "ts" }, outfile: program });
  if (threads) await build({ ...common, entryPoints: [join(here, "worker.ts")], outfile: worker });
  return {
    remove: () => {
      for (const file of threads ? [program, worker] : [program]) rmSync(file, { force: true });
    },
    live: async ({ folder, recipe, workers, afterMilliseconds, maxFileBlocks }) => {
      const call = [program, JSON.stringify({ folder, recipe, workers })];
      // The signal of the limit is ignored, so that a write fails as it does on a full disk.
      const child =
        maxFileBlocks === undefined
          ? spawn(process.execPath, call, { stdio: ["ignore", "pipe", "pipe"] })
          : spawn("bash", ["-c", `trap "" XFSZ; ulimit -f ${maxFileBlocks}; exec "$@"`, "bash", process.execPath, ...call], {
              stdio: ["ignore", "pipe", "pipe"],
            });
      let output = "";
      let errors = "";
      child.stderr.on("data", (bytes: Buffer) => {
        errors += bytes;
      });
      child.stdout.on("data", (bytes: Buffer) => {
        if (output === "" && afterMilliseconds !== undefined) setTimeout(() => child.kill("SIGKILL"), afterMilliseconds);
        output += bytes;
      });
      const signal = await new Promise((resolve) => child.on("close", (_, by) => resolve(by)));
      if (signal === "SIGKILL") return { end: "killed", errors };
      return { end: output.includes("finished") ? "finished" : "failed", errors };
    },
  };
}
