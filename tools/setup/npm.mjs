/** npm dependencies: installed exactly when what lies in node_modules is not what the lockfile says. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { run, tail } from "../../packages/torch/setup/process.mjs";
import { SetupError } from "../../packages/torch/setup/say.mjs";
import { repository } from "./repository.mjs";

/** @typedef {{ packages: Record<string, { version?: string, link?: boolean, optional?: boolean }> }} Lockfile */

/** npm keeps a second lockfile in node_modules that tells what it installed; a package for another platform is not in it. */
export function dependenciesAreInstalled(folder = repository) {
  const installed = join(folder, "node_modules/.package-lock.json");
  if (!existsSync(installed)) return false;
  const wanted = /** @type {Lockfile} */ (JSON.parse(readFileSync(join(folder, "package-lock.json"), "utf8"))).packages;
  const there = /** @type {Lockfile} */ (JSON.parse(readFileSync(installed, "utf8"))).packages;
  return Object.entries(wanted).every(([path, { version, link, optional }]) => {
    if (!path.includes("node_modules/")) return true;
    const found = there[path];
    if (found === undefined) return optional === true;
    return (link === true || found.version === version) && existsSync(join(folder, path));
  });
}

export async function installDependencies() {
  const finished = await run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: repository, show: true });
  if (finished.status === 0) return;
  throw new SetupError(
    `npm could not install the dependencies:\n${tail(finished)}`,
    `check the network and the registry (npm config get registry), then: cd ${repository} && npm ci`,
  );
}
