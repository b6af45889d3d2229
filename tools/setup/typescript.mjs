/** The JavaScript of the packages: compiled exactly when a source is not the one that was compiled last. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { run, tail } from "../../packages/torch/setup/process.mjs";
import { SetupError } from "../../packages/torch/setup/say.mjs";
import { repository } from "./repository.mjs";

const stampFile = join(repository, "build/typescript.stamp");

/** @returns {Promise<boolean>} whether there was something to compile */
export async function buildTypescript() {
  // Taken before compiling: a source that is edited meanwhile makes the next run compile again.
  const stamp = stampOfSources();
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) return false;
  const finished = await run(process.execPath, [join(repository, "node_modules/typescript/bin/tsc"), "--build", "--pretty", "false"], {
    cwd: repository,
  });
  if (finished.status !== 0)
    throw new SetupError(
      `The TypeScript sources do not compile:\n${tail(finished, 20)}`,
      "correct these files (or git status, if they are not yours)",
    );
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, stamp);
  return true;
}

/** Names, sizes and times of everything that tsc reads of ours, and whether each package has an output. Asking tsc itself takes a second. */
function stampOfSources() {
  const hash = createHash("sha256");
  const add = (/** @type {string} */ path) => {
    const { size, mtimeMs } = statSync(path);
    hash.update(`${path} ${size} ${mtimeMs}\n`);
  };
  for (const name of readdirSync(repository)) if (/^(tsconfig.*|package-lock)\.json$/.test(name)) add(join(repository, name));
  const packages = join(repository, "packages");
  for (const workspace of readdirSync(packages)) {
    const sources = join(packages, workspace, "src");
    if (!existsSync(join(packages, workspace, "tsconfig.json")) || !existsSync(sources)) continue;
    add(join(packages, workspace, "tsconfig.json"));
    hash.update(String(existsSync(join(packages, workspace, "dist"))));
    for (const name of readdirSync(sources, { recursive: true, encoding: "utf8" }).sort())
      if (/\.tsx?$/.test(name)) add(join(sources, name));
  }
  return hash.digest("hex");
}
