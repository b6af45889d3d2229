/** Which process is this, and is it still alive? A pid alone is not enough: the system gives it to another process later. */
import { readFileSync } from "node:fs";
import { hostname } from "node:os";

export interface ProcessIdentity {
  pid: number;
  host: string;
  /** Start time in the kernel's clock ticks since boot; null where the system does not tell (not Linux). */
  startTicks: number | null;
}

export function currentProcess(): ProcessIdentity {
  return { pid: process.pid, host: hostname(), startTicks: startTicks(process.pid) };
}

/** True, false, or undefined when the process belongs to another host and cannot be asked. */
export function isAlive(identity: ProcessIdentity): boolean | undefined {
  if (identity.host !== hostname()) return undefined;
  try {
    process.kill(identity.pid, 0); // signal 0 only asks
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"; // it lives, and belongs to someone else
  }
  return identity.startTicks === null || startTicks(identity.pid) === identity.startTicks;
}

/** Field 22 of /proc/PID/stat; the command name before it may itself hold spaces and parentheses. A zombie counts as gone. */
function startTicks(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? null : Number(fields[19]);
  } catch {
    return null;
  }
}
