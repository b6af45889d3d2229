/**
 * Process groups: c10d over Gloo, or over NCCL or MPI where the loaded libtorch has them. Every process calls the same
 * collectives in the same order; what one waits for, the others must call.
 */
import { begin, beginReading, intern, putWord, take } from "../call.ts";
import { tensor as tensorOf } from "../creation.ts";
import { TorchError } from "../errors.ts";
import { native } from "../native.ts";
import { keep, scope } from "../scope.ts";
import { Tensor } from "../tensor.ts";
import { type ProcessPlace, placeFromEnvironment } from "./environment.ts";

export type Backend = "gloo" | "nccl" | "mpi";
export type Reduction = "sum" | "mean" | "max" | "min" | "product";

export interface ProcessGroupOptions extends Partial<ProcessPlace> {
  /** Default: gloo. */
  readonly backend?: Backend;
  /** How long to wait for the other processes at the beginning; default 300. */
  readonly connectTimeoutSeconds?: number;
  /** After how long an operation that the others do not join is an error; default 1800. A process that ended is noticed at once. */
  readonly timeoutSeconds?: number;
}

const OPERATIONS = { allReduce: 0, broadcast: 1, allGather: 2, reduceScatter: 3, gather: 4, barrier: 5 } as const;
type Operation = keyof typeof OPERATIONS;
const REDUCTIONS: Readonly<Record<Reduction, number>> = { sum: 0, mean: 1, max: 2, min: 3, product: 4 };

const DEFAULT_CONNECT_TIMEOUT_SECONDS = 300;
const DEFAULT_TIMEOUT_SECONDS = 1800;

/** Whether the loaded libtorch has this backend. */
export function isBackendAvailable(backend: Backend): boolean {
  begin();
  putWord(intern(backend));
  return native.backendExists();
}

/**
 * Meets the other processes. What `options` leave open is taken from the environment (see `placeFromEnvironment`).
 * Errors: TorchError that says who is missing, or what the processes disagree about.
 */
export async function initProcessGroup(options: ProcessGroupOptions = {}): Promise<ProcessGroup> {
  const place = { ...placeOf(options), ...defined(options) };
  const { rank, worldSize, masterAddress, masterPort, networkInterface, backend = "gloo" } = place;
  const connectTimeoutSeconds = options.connectTimeoutSeconds ?? DEFAULT_CONNECT_TIMEOUT_SECONDS;
  const timeoutSeconds = options.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS;
  if (!Number.isInteger(worldSize) || worldSize < 1) throw new RangeError(`worldSize: expected a positive integer, received ${worldSize}`);
  if (!Number.isInteger(rank) || rank < 0 || rank >= worldSize)
    throw new RangeError(`rank: expected an integer from 0 to ${worldSize - 1}, received ${rank}`);
  if (!Number.isInteger(masterPort) || masterPort < 1 || masterPort > 65535)
    throw new RangeError(`masterPort: expected an integer from 1 to 65535, received ${masterPort}`);
  for (const [name, seconds] of Object.entries({ connectTimeoutSeconds, timeoutSeconds }))
    if (!(seconds > 0 && seconds < 1e8)) throw new RangeError(`${name}: expected a positive number of seconds, received ${seconds}`);
  begin();
  putWord(intern(backend));
  putWord(rank);
  putWord(worldSize);
  putWord(intern(masterAddress));
  putWord(masterPort);
  putWord(intern(networkInterface ?? ""));
  putWord(Math.ceil(1000 * connectTimeoutSeconds));
  putWord(Math.ceil(1000 * timeoutSeconds));
  try {
    return new ProcessGroup(await native.connectGroup(), place, backend, timeoutSeconds);
  } catch (error) {
    throw new TorchError(`initProcessGroup, rank ${rank} of ${worldSize}: ${firstLine(error)}`, "initProcessGroup", { cause: error });
  }
}

/** The place that was given whole, or else the environment's. */
function placeOf(options: ProcessGroupOptions): ProcessPlace {
  const { rank, worldSize, masterAddress, masterPort } = options;
  if (rank !== undefined && worldSize !== undefined && masterAddress !== undefined && masterPort !== undefined)
    return { localRank: rank, localWorldSize: worldSize, networkInterface: undefined, rank, worldSize, masterAddress, masterPort };
  const place = placeFromEnvironment();
  if (place !== undefined) return place;
  throw new TorchError(
    "initProcessGroup: neither the options nor the environment (RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT, or those of srun) say which process of how many this is.",
    "initProcessGroup",
  );
}

const defined = <T extends object>(options: T): T =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;

/** The processes that work together, seen from one of them. */
export class ProcessGroup {
  /** @internal */
  readonly id: number;
  readonly rank: number;
  readonly size: number;
  readonly localRank: number;
  readonly localWorldSize: number;
  readonly backend: Backend;
  private readonly timeoutSeconds: number;
  private destroyed = false;

  /** @internal */
  constructor(id: number, place: ProcessPlace, backend: Backend, timeoutSeconds: number) {
    this.id = id;
    this.rank = place.rank;
    this.size = place.worldSize;
    this.localRank = place.localRank;
    this.localWorldSize = place.localWorldSize;
    this.backend = backend;
    this.timeoutSeconds = timeoutSeconds;
  }

  /** Reduces over all processes, in place. The mean is for floating dtypes. */
  allReduce(tensor: Tensor, reduction: Reduction = "sum"): Tensor {
    this.now("allReduce", REDUCTIONS[reduction], tensor);
    return tensor;
  }

  async allReduceAsync(tensor: Tensor, reduction: Reduction = "sum"): Promise<Tensor> {
    await this.later("allReduce", REDUCTIONS[reduction], tensor);
    return tensor;
  }

  /** Overwrites the tensor with that of `root`, in place. */
  broadcast(tensor: Tensor, root = 0): Tensor {
    this.now("broadcast", this.checkRoot(root), tensor);
    return tensor;
  }

  async broadcastAsync(tensor: Tensor, root = 0): Promise<Tensor> {
    await this.later("broadcast", this.checkRoot(root), tensor);
    return tensor;
  }

  /** The tensors of all processes, which have one shape: [size, …shape], in the order of ranks. */
  allGather(tensor: Tensor): Tensor {
    return this.now("allGather", 0, tensor)!;
  }

  async allGatherAsync(tensor: Tensor): Promise<Tensor> {
    return (await this.later("allGather", 0, tensor))!;
  }

  /** As `allGather`, but only in the process `root`; null elsewhere. */
  gather(tensor: Tensor, root = 0): Tensor | null {
    return this.now("gather", this.checkRoot(root), tensor);
  }

  async gatherAsync(tensor: Tensor, root = 0): Promise<Tensor | null> {
    return this.later("gather", this.checkRoot(root), tensor);
  }

  /** Reduces [size · n, …] and gives each process its part [n, …]. */
  reduceScatter(tensor: Tensor, reduction: Reduction = "sum"): Tensor {
    return this.now("reduceScatter", REDUCTIONS[reduction], tensor)!;
  }

  async reduceScatterAsync(tensor: Tensor, reduction: Reduction = "sum"): Promise<Tensor> {
    return (await this.later("reduceScatter", REDUCTIONS[reduction], tensor))!;
  }

  /** Waits until all processes are here. */
  barrier(): void {
    this.now("barrier", 0, null);
  }

  async barrierAsync(): Promise<void> {
    await this.later("barrier", 0, null);
  }

  /** Sums of numbers over all processes, in float64; the same bits in every process. */
  sum(values: readonly number[]): number[];
  sum(value: number): number;
  sum(values: number | readonly number[]): number | number[] {
    const list = typeof values === "number" ? [values] : values;
    const sums = scope(() => {
      const device = this.backend === "nccl" ? `cuda:${this.localRank}` : "cpu";
      return Array.from(this.allReduce(tensorOf(list, { dtype: "float64" }).to(device)).toTypedArray() as Float64Array);
    });
    return typeof values === "number" ? sums[0]! : sums;
  }

  /** Leaves the group; waits for what is under way. A second call does nothing. */
  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    begin();
    putWord(this.id);
    native.destroyGroup();
  }

  /** @internal Runs part of an operation and names it in what goes wrong. */
  guard<T>(operation: string, body: () => T): T {
    try {
      return body();
    } catch (error) {
      throw this.failure(operation, error);
    }
  }

  private now(operation: Operation, argument: number, tensor: Tensor | null): Tensor | null {
    this.write(operation, argument, tensor, false);
    this.guard(operation, () => native.collective());
    beginReading();
    return take() as Tensor | null;
  }

  private async later(operation: Operation, argument: number, tensor: Tensor | null): Promise<Tensor | null> {
    this.write(operation, argument, tensor, true);
    try {
      const handle = await native.collective()!;
      // Arrives in no scope in particular.
      return handle < 0 ? null : keep(new Tensor(handle));
    } catch (error) {
      throw this.failure(operation, error);
    }
  }

  private write(operation: Operation, argument: number, tensor: Tensor | null, asynchronous: boolean): void {
    begin();
    putWord(this.id);
    putWord(OPERATIONS[operation]);
    putWord(argument);
    putWord(asynchronous ? 1 : 0);
    putWord(tensor === null ? -1 : tensor.liveHandle);
  }

  private checkRoot(root: number): number {
    if (Number.isInteger(root) && root >= 0 && root < this.size) return root;
    throw new RangeError(`root: expected a rank from 0 to ${this.size - 1}, received ${root}`);
  }

  private failure(operation: string, error: unknown): unknown {
    if (!(error instanceof Error) || (error as { code?: unknown }).code !== "TORCH" || error instanceof TorchError) return error;
    const reason = firstLine(error);
    const todo = /timed? ?out/i.test(reason)
      ? ` The other processes did not join within ${this.timeoutSeconds} s: check that all make the same calls in the same order, and what the others printed last.`
      : /closed|reset|broken pipe|refused|abort/i.test(reason)
        ? " Another process has ended: its own output says why."
        : "";
    return new TorchError(`${operation}, rank ${this.rank} of ${this.size} (${this.backend}): ${reason}${todo}`, operation, {
      cause: error,
    });
  }
}

function firstLine(error: unknown): string {
  const line = (error instanceof Error ? error.message : String(error)).split("\n", 1)[0]!.trim();
  // Where in Gloo's sources it was thrown says nothing to its users, nor does its general advice.
  const bare = line.replace(/^\[[^\]]*\]\s*/, "").replace(/\s*This is typically caused by .*$/, "");
  return /[.!?]$/.test(bare) ? bare : `${bare}.`;
}
