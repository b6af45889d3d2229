/** A Slurm of one node on loopback, with daemons, ports and folders of its own: for tests. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const NEEDED = ["munged", "slurmctld", "slurmd", "sbatch", "squeue"] as const;

/** What is missing, or undefined when a Slurm can be started here. */
export function whyNoSlurm(): string | undefined {
  if (process.getuid?.() !== 0) return "slurmd runs jobs as their users, which takes root";
  const path = `${process.env.PATH}:/usr/sbin:/sbin`;
  const missing = NEEDED.filter((command) => {
    try {
      execFileSync("sh", ["-c", `command -v ${command}`], { env: { PATH: path }, stdio: "ignore" });
      return false;
    } catch {
      return true;
    }
  });
  return missing.length === 0 ? undefined : `${missing.join(", ")} not installed (apt-get install slurmctld slurmd slurm-client munge)`;
}

export class LocalSlurm {
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  private readonly daemons: ChildProcess[] = [];

  private constructor(folder: string) {
    this.folder = folder;
    this.environment = { SLURM_CONF: join(folder, "slurm.conf"), PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
  }

  static async start(): Promise<LocalSlurm> {
    const slurm = new LocalSlurm(mkdtempSync(join(tmpdir(), "perennial-slurm-")));
    try {
      await slurm.begin();
      return slurm;
    } catch (error) {
      await slurm.stop();
      throw error;
    }
  }

  private async begin(): Promise<void> {
    const { folder } = this;
    for (const name of ["state", "spool", "munge"]) mkdirSync(join(folder, name), { mode: 0o755 });
    const socket = join(folder, "munge/socket");
    const key = join(folder, "munge/key");
    writeFileSync(key, randomBytes(1024), { mode: 0o400 });
    const [controller, node] = await freePorts(2);
    const host = hostname().split(".")[0]!;
    const settings = {
      ...{ ClusterName: "test", SlurmctldHost: `${host}(127.0.0.1)`, SlurmctldPort: controller, SlurmdPort: node },
      ...{ AuthType: "auth/munge", AuthInfo: `socket=${socket}`, SlurmUser: "root", SlurmdUser: "root" },
      ...{ StateSaveLocation: join(folder, "state"), SlurmdSpoolDir: join(folder, "spool") },
      ...{ SlurmctldPidFile: join(folder, "slurmctld.pid"), SlurmdPidFile: join(folder, "slurmd.pid") },
      ...{ SlurmctldLogFile: join(folder, "slurmctld.log"), SlurmdLogFile: join(folder, "slurmd.log") },
      ...{ ProctrackType: "proctrack/linuxproc", TaskPlugin: "task/none", JobAcctGatherType: "jobacct_gather/none", MpiDefault: "none" },
      ...{ SelectType: "select/cons_tres", SelectTypeParameters: "CR_CPU", AccountingStorageType: "accounting_storage/none" },
      ...{ SchedulerType: "sched/backfill", SchedulerParameters: "sched_interval=1,bf_interval=1", MinJobAge: 300 },
      ...{ ReturnToService: 2, MailProg: "/bin/true", InactiveLimit: 0, KillWait: 2 },
      // The node may be said to have more memory than this machine: jobs ask for what real ones would.
      SlurmdParameters: "config_overrides",
    };
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
    writeFileSync(
      join(folder, "slurm.conf"),
      [
        ...lines,
        `NodeName=${host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=64000 State=UNKNOWN`,
        `PartitionName=main Nodes=${host} Default=YES MaxTime=INFINITE State=UP`,
        "",
      ].join("\n"),
    );
    const munge = ["--foreground", `--key-file=${key}`, `--socket=${socket}`, `--pid-file=${join(folder, "munge/pid")}`];
    this.spawn("munged", [...munge, `--log-file=${join(folder, "munge/log")}`, `--seed-file=${join(folder, "munge/seed")}`, "--force"]);
    await pause(300);
    this.spawn("slurmctld", ["-D"]);
    this.spawn("slurmd", ["-D"]);
    for (let i = 0; i < 100; i++) {
      if (this.call("sinfo", ["--noheader", "--format=%t"]).startsWith("idle")) return;
      await pause(200);
    }
    throw new Error(
      `Slurm did not start:\n${["slurmctld.log", "slurmd.log"].map((name) => readFileSync(join(folder, name), "utf8")).join("\n")}`,
    );
  }

  private spawn(command: string, args: readonly string[]): void {
    this.daemons.push(spawn(command, [...args], { env: { ...process.env, ...this.environment }, stdio: "ignore" }));
  }

  /** What a Slurm command prints; nothing where it fails. */
  call(command: string, args: readonly string[]): string {
    try {
      return execFileSync(command, [...args], {
        env: { ...process.env, ...this.environment },
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      });
    } catch {
      return "";
    }
  }

  /** Until no job waits or runs. */
  async drained(seconds = 120): Promise<void> {
    for (let i = 0; i < seconds * 4; i++) {
      if (this.call("squeue", ["--noheader"]).trim() === "") return;
      await pause(250);
    }
    throw new Error(`Jobs are left after ${seconds} s:\n${this.call("squeue", [])}`);
  }

  async stop(): Promise<void> {
    this.call("scancel", ["--user=root"]);
    for (const daemon of [...this.daemons].reverse()) {
      const ended = new Promise((done) => daemon.once("exit", done));
      if (daemon.exitCode !== null || daemon.pid === undefined) continue;
      daemon.kill("SIGTERM");
      await Promise.race([ended, pause(3000).then(() => daemon.kill("SIGKILL"))]);
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((done, failed) => {
          server.once("error", failed);
          server.listen(0, "127.0.0.1", () => done((server.address() as { port: number }).port));
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}
