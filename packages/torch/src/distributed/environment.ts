/**
 * Which process of how many is this? The variables that launchers set, and the only place that reads them:
 * torchrun's (RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE, MASTER_ADDR, MASTER_PORT), also set by `perennial train
 * --processes`, else those of a step that `srun` started. A batch script outside of `srun` is one process of its own.
 */

/** One process among those that were started together. */
export interface ProcessPlace {
  /** 0 … worldSize − 1. */
  readonly rank: number;
  readonly worldSize: number;
  /** The rank among the processes of this machine. */
  readonly localRank: number;
  readonly localWorldSize: number;
  /** Where the process of rank 0 listens. */
  readonly masterAddress: string;
  readonly masterPort: number;
  /** The network device to use; undefined: the one that leads to `masterAddress`. */
  readonly networkInterface: string | undefined;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** A variable is missing or makes no sense; the message names it. */
export class EnvironmentError extends Error {
  readonly code = "TORCH_ENVIRONMENT";
  readonly variable: string;

  constructor(variable: string, message: string) {
    super(`${variable}: ${message}`);
    this.name = "EnvironmentError";
    this.variable = variable;
  }
}

/** The place that the environment gives this process; undefined where nothing was launched. */
export function placeFromEnvironment(environment: Environment = process.env): ProcessPlace | undefined {
  const reader = new Reader(environment);
  if (reader.has("RANK") || reader.has("WORLD_SIZE")) return fromTorchrun(reader);
  if (reader.has("SLURM_PROCID") && reader.has("SLURM_STEP_ID")) return fromSlurm(reader);
  return undefined;
}

function fromTorchrun(reader: Reader): ProcessPlace {
  const worldSize = reader.integer("WORLD_SIZE", 1, Number.MAX_SAFE_INTEGER);
  const rank = reader.integer("RANK", 0, worldSize - 1);
  return {
    rank,
    worldSize,
    ...local(reader, "LOCAL_RANK", "LOCAL_WORLD_SIZE", rank, worldSize),
    masterAddress: reader.text("MASTER_ADDR", "the address of the process of rank 0"),
    masterPort: reader.integer("MASTER_PORT", 1, 65535),
    networkInterface: reader.optional("GLOO_SOCKET_IFNAME"),
  };
}

function fromSlurm(reader: Reader): ProcessPlace {
  const worldSize = reader.integer(
    reader.has("SLURM_STEP_NUM_TASKS") ? "SLURM_STEP_NUM_TASKS" : "SLURM_NTASKS",
    1,
    Number.MAX_SAFE_INTEGER,
  );
  const rank = reader.integer("SLURM_PROCID", 0, worldSize - 1);
  const nodes = reader.optional("SLURM_STEP_NODELIST") ?? reader.optional("SLURM_JOB_NODELIST");
  const tasksHere = reader.optional("SLURM_STEP_TASKS_PER_NODE");
  const localRank = reader.has("SLURM_LOCALID") ? reader.integer("SLURM_LOCALID", 0, worldSize - 1) : rank;
  return {
    rank,
    worldSize,
    localRank,
    localWorldSize:
      tasksHere === undefined
        ? worldSize
        : tasksOfNode(tasksHere, reader.has("SLURM_NODEID") ? reader.integer("SLURM_NODEID", 0, worldSize) : 0),
    masterAddress:
      reader.optional("MASTER_ADDR") ??
      (nodes === undefined
        ? reader.text("SLURM_LAUNCH_NODE_IPADDR", "the address of the process of rank 0, where SLURM_JOB_NODELIST is not set")
        : firstHost(nodes)),
    masterPort: reader.has("MASTER_PORT") ? reader.integer("MASTER_PORT", 1, 65535) : slurmPort(reader),
    networkInterface: reader.optional("GLOO_SOCKET_IFNAME"),
  };
}

function local(reader: Reader, rankName: string, sizeName: string, rank: number, worldSize: number) {
  const localWorldSize = reader.has(sizeName) ? reader.integer(sizeName, 1, worldSize) : worldSize;
  const localRank = reader.has(rankName) ? reader.integer(rankName, 0, localWorldSize - 1) : rank % localWorldSize;
  return { localRank, localWorldSize };
}

/** The first host of Slurm's notation: `gpu[03-05,7],login` → `gpu03`, `rack[1-2]node[3,4]` → `rack1node3`. */
export function firstHost(nodeList: string): string {
  let depth = 0;
  let end = 0;
  while (end < nodeList.length && (depth > 0 || nodeList[end] !== ",")) {
    if (nodeList[end] === "[") depth++;
    if (nodeList[end] === "]") depth--;
    end++;
  }
  return nodeList.slice(0, end).replace(/\[([^\],-]+)[^\]]*\]/g, "$1");
}

/** `2(x3),1`: two tasks on each of the first three nodes, one on the fourth. */
function tasksOfNode(counts: string, node: number): number {
  let first = 0;
  for (const part of counts.split(",")) {
    const [, tasks, repeats] = /^(\d+)(?:\(x(\d+)\))?$/.exec(part) ?? [];
    if (tasks === undefined) break;
    first += Number(repeats ?? 1);
    if (node < first) return Number(tasks);
  }
  throw new EnvironmentError("SLURM_STEP_TASKS_PER_NODE", `received ${JSON.stringify(counts)}, which says nothing about node ${node}`);
}

/** The same for all processes of a step, different for steps that run beside each other; below Linux's ephemeral ports. */
function slurmPort(reader: Reader): number {
  const job = reader.integer("SLURM_JOB_ID", 0, Number.MAX_SAFE_INTEGER);
  const step = reader.integer("SLURM_STEP_ID", 0, Number.MAX_SAFE_INTEGER);
  return 15000 + ((job * 7 + step) % 15000);
}

class Reader {
  private readonly environment: Environment;
  constructor(environment: Environment) {
    this.environment = environment;
  }

  has(name: string): boolean {
    return this.optional(name) !== undefined;
  }

  optional(name: string): string | undefined {
    const value = this.environment[name];
    return value === "" ? undefined : value;
  }

  text(name: string, meaning: string): string {
    const value = this.optional(name);
    if (value === undefined)
      throw new EnvironmentError(
        name,
        `is not set; it must be ${meaning}. Launchers (torchrun, srun, perennial train --processes) set it.`,
      );
    return value;
  }

  integer(name: string, least: number, most: number): number {
    const range = most === Number.MAX_SAFE_INTEGER ? `an integer of at least ${least}` : `an integer from ${least} to ${most}`;
    const value = this.text(name, range);
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < least || number > most)
      throw new EnvironmentError(name, `expected ${range}, received ${JSON.stringify(value)}.`);
    return number;
  }
}
