/**
 * Two processes of one machine must not do the same share of a run at once: their journals would mix. A lock is a file with the process that
 * holds it; that of a process which has ended is void. (Machines that share a folder are kept apart by their shares, not by locks.)
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { PerennialError } from "../../errors.ts";

interface Holder {
  readonly host: string;
  readonly pid: number;
  /** Clock ticks from boot to the start of the process, where the system tells: process numbers come again. */
  readonly started: string | null;
}

/** Holds `name` of the run in `folder` until the function that comes back is called. */
export function holdRun(folder: string, name: string): () => void {
  const path = join(folder, "locks", `${hostname()}-${name}`);
  mkdirSync(join(folder, "locks"), { recursive: true });
  const own: Holder = { host: hostname(), pid: process.pid, started: startOf(process.pid) };
  for (let tries = 0; ; tries++) {
    try {
      writeFileSync(path, JSON.stringify(own), { flag: "wx" });
      return () => rmSync(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      const holder = read(path);
      if (tries > 0 || (holder && isAlive(holder)))
        throw new PerennialError(
          "CORPUS_BUSY",
          `${folder}: process ${holder?.pid ?? "?"} is at work on this run. Wait for it, or stop it.`,
        );
      rmSync(path, { force: true });
    }
  }
}

function read(path: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Holder;
  } catch {
    return undefined; // gone meanwhile, or cut short by a kill
  }
}

function isAlive({ pid, started }: Holder): boolean {
  if (pid === process.pid) return started === startOf(pid);
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  return started === startOf(pid);
}

/** Field 22 of /proc/PID/stat (Linux); the name before it may hold anything but ends with the last bracket. */
function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
  } catch {
    return null;
  }
}
