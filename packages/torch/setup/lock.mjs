import { closeSync, mkdirSync, openSync, readFileSync, renameSync, statSync, unlinkSync, utimesSync, writeSync } from "node:fs";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const HEARTBEAT_MS = 2_000;
/** A holder that has not touched its lock for so long is gone, whichever machine or container it ran in. */
const STALE_MS = 30_000;

/**
 * Runs `work` while no other process holds the lock file. The holder touches the file while it works;
 * a lock whose process has died is taken over.
 * @template T
 * @param {string} path
 * @param {string} what for the message of whoever waits, e.g. `the native build`
 * @param {() => Promise<T>} work must not block the event loop for long
 * @returns {Promise<T>}
 */
export async function withLock(path, what, work) {
  mkdirSync(dirname(path), { recursive: true });
  let told = false;
  while (!take(path)) {
    if (breakStale(path)) continue;
    if (!told) console.log(`waiting for another process that holds ${what} (${path})`);
    told = true;
    await sleep(200);
  }
  const heartbeat = setInterval(() => {
    try {
      utimesSync(path, new Date(), new Date());
    } catch {
      // The folder was removed under us (a clean checkout): nothing is left to protect.
    }
  }, HEARTBEAT_MS);
  const release = () => {
    try {
      unlinkSync(path);
    } catch {
      // already gone
    }
  };
  process.once("exit", release);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    process.removeListener("exit", release);
    release();
  }
}

/** @param {string} path */
function take(path) {
  try {
    const file = openSync(path, "wx");
    writeSync(file, `${hostname()} ${process.pid}`);
    closeSync(file);
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "EEXIST") return false;
    throw error;
  }
}

/**
 * Removes the lock of a dead holder. Renamed before it is removed, so that of two who see it only one succeeds.
 * @param {string} path
 */
function breakStale(path) {
  try {
    const [host, pid] = readFileSync(path, "utf8").split(" ");
    const age = Date.now() - statSync(path).mtimeMs;
    const dead = age > STALE_MS || (host === hostname() && age > HEARTBEAT_MS && !isAlive(Number(pid)));
    if (!dead) return false;
    const aside = `${path}.stale-${process.pid}`;
    renameSync(path, aside);
    unlinkSync(aside);
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "ENOENT") return true;
    throw error;
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === "EPERM";
  }
}
