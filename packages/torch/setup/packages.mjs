/** Installs packages of the operating system where we may, else says the command. */
import { run, tail, which } from "./process.mjs";
import { SetupError } from "./say.mjs";

/**
 * @typedef {object} Names of the same thing by package manager
 * @property {readonly string[]} debian
 * @property {readonly string[]} fedora
 * @property {string} macos a command
 */

/**
 * @param {string} what what is missing, in words
 * @param {Names} names
 */
export async function installPackages(what, names) {
  const isRoot = process.getuid?.() === 0;
  if (!which("apt-get") || !isRoot) throw new SetupError(`There is no ${what}.`, commandFor(names));
  console.log(`installing ${names.debian.join(" ")} (${what})`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const updated = await run("apt-get", ["update", "-qq"], { env });
  const installed = await run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...names.debian], { env });
  if (installed.status === 0) return;
  const reason = tail(updated.status === 0 ? installed : updated);
  throw new SetupError(`There is no ${what}, and apt-get could not install it:\n${reason}`, commandFor(names));
}

/**
 * What the user has to type on this machine.
 * @param {Names} names
 */
export function commandFor({ debian, fedora, macos }) {
  const sudo = process.getuid?.() === 0 ? "" : "sudo ";
  if (process.platform === "darwin") return macos;
  if (which("dnf")) return `${sudo}dnf install -y ${fedora.join(" ")}`;
  return `${sudo}apt-get update && ${sudo}apt-get install -y ${debian.join(" ")}   (Debian, Ubuntu; elsewhere the packages of the same name)`;
}
