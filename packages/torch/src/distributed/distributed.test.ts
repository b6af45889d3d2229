import { expect, test } from "vitest";
import { distributed, torch } from "../index.ts";
import { EnvironmentError, firstHost, placeFromEnvironment } from "./environment.ts";
import { type Ended, freePort, runProcesses } from "./processes.conformance.ts";

test.each([2, 4])("collectives equal their closed forms and reduced gradients those of one process, in %i processes", async (size) => {
  for (const { code, output, rank } of await runProcesses("worker.conformance.ts", size, [])) {
    expect(output).toBe(`rank ${rank} done\n`);
    expect(code).toBe(0);
  }
});

interface Trouble {
  name: string;
  message: string;
  seconds: number;
}
const COLLECTIVES = ["allReduce", "allReduce", "broadcast", "allGather", "gather", "reduceScatter", "barrier"];
const troubleOf = ({ output }: Ended) => JSON.parse(output.trim().split("\n").at(-1)!) as Trouble;

test("a process that is killed in an all-reduce is an error in the others at once, with operation and rank", async () => {
  const [zero, one, two] = await runProcesses("failures.conformance.ts", 3, ["killed"]);
  expect(one!.signal).toBe("SIGKILL");
  for (const ended of [zero!, two!]) {
    const { name, message, seconds } = troubleOf(ended);
    expect(name).toBe("TorchError");
    expect(message).toMatch(new RegExp(`^allReduce, rank ${ended.rank} of 3 \\(gloo\\): .*Another process has ended`));
    expect(seconds).toBeLessThan(20);
    expect(ended.code).toBe(7);
  }
});

test("every collective that another process never joins times out, and says which, where and after how long", async () => {
  const ports = await Promise.all(COLLECTIVES.map(freePort));
  const [zero] = await runProcesses("failures.conformance.ts", 2, ["late", ...ports.map(String)]);
  expect(zero!.code).toBe(0);
  const troubles = JSON.parse(zero!.output.trim().split("\n").at(-1)!) as Trouble[];
  expect(troubles.map(({ message }) => message.split(",")[0])).toEqual(COLLECTIVES);
  for (const { name, message, seconds } of troubles) {
    expect(name).toBe("TorchError");
    expect(message).toMatch(/^\w+, rank 0 of 2 \(gloo\): .*did not join within 0.5 s: check that all make the same calls/);
    expect(seconds).toBeGreaterThan(0.4);
    expect(seconds).toBeLessThan(10);
  }
});

test("where nobody answers one sentence is all that is said", async () => {
  const [ended] = await runProcesses("failures.conformance.ts", 1, ["alone"], () => ({ RANK: "1", WORLD_SIZE: "2" }));
  expect(ended!.output.trim().split("\n")).toHaveLength(1);
  expect(troubleOf(ended!).message).toMatch(/^initProcessGroup, rank 1 of 2: nobody answers on/);
});

test("whoever does not come, comes twice or counts differently is named", async () => {
  const failureOf = async (rank: number, worldSize: number, masterPort: number, connectTimeoutSeconds = 1) => {
    const group = distributed.initProcessGroup({ rank, worldSize, masterAddress: "127.0.0.1", masterPort, connectTimeoutSeconds });
    return group.then(
      () => "met",
      (error: Error) => error.message,
    );
  };
  expect(await failureOf(0, 3, await freePort())).toMatch(
    /^initProcessGroup, rank 0 of 3: of 3 processes these ranks have not come within 1 s: 1, 2; check that they were started/,
  );
  expect(await failureOf(1, 2, await freePort())).toMatch(
    /^initProcessGroup, rank 1 of 2: nobody answers on 127.0.0.1:\d+ within 1 s; check MASTER_ADDR and MASTER_PORT/,
  );
  const port = await freePort();
  const both = await Promise.all([failureOf(0, 3, port), failureOf(0, 3, port)]);
  expect(both.join("\n")).toMatch(/rank 0 cannot listen on 127.0.0.1:\d+: the port is in use; choose another MASTER_PORT/);
  const other = await freePort();
  for (const message of await Promise.all([failureOf(0, 2, other, 20), failureOf(1, 3, other, 20)]))
    expect(message).toMatch(/disagree about WORLD_SIZE: rank \d was told \d, another one \d/);
  const third = await freePort();
  for (const message of await Promise.all([failureOf(0, 3, third, 20), failureOf(1, 3, third, 20), failureOf(1, 3, third, 20)]))
    expect(message).toMatch(/two processes were started with RANK 1 at this address and port/);
});

test("a group of one; options that make no sense; a backend that the loaded libtorch lacks", async () => {
  const place = { rank: 0, worldSize: 1, masterAddress: "127.0.0.1", masterPort: await freePort() };
  const group = await distributed.initProcessGroup(place);
  expect(group.sum([1.5, 2])).toEqual([1.5, 2]);
  expect(group.allGather(torch.ones([2])).shape).toEqual([1, 2]);
  group.destroy();
  await expect(distributed.initProcessGroup({ ...place, rank: 1 })).rejects.toThrow(/rank: expected an integer from 0 to 0, received 1/);
  await expect(distributed.initProcessGroup({ ...place, masterPort: 0 })).rejects.toThrow(
    /masterPort: expected an integer from 1 to 65535/,
  );
  await expect(distributed.initProcessGroup({ ...place, timeoutSeconds: -1 })).rejects.toThrow(
    /timeoutSeconds: expected a positive number/,
  );
  expect(distributed.isBackendAvailable("gloo")).toBe(true);
  for (const backend of ["nccl", "mpi"] as const) {
    if (distributed.isBackendAvailable(backend)) continue;
    const port = await freePort();
    await expect(distributed.initProcessGroup({ ...place, masterPort: port, backend })).rejects.toThrow(
      new RegExp(`the loaded libtorch has no ${backend.toUpperCase()} backend`),
    );
  }
});

const torchrun = { RANK: "5", WORLD_SIZE: "8", LOCAL_RANK: "1", LOCAL_WORLD_SIZE: "4", MASTER_ADDR: "node1", MASTER_PORT: "29500" };

test("the place comes from torchrun's variables", () => {
  expect(placeFromEnvironment({})).toBeUndefined();
  expect(placeFromEnvironment({ ...torchrun, GLOO_SOCKET_IFNAME: "eth1" })).toEqual({
    rank: 5,
    worldSize: 8,
    localRank: 1,
    localWorldSize: 4,
    masterAddress: "node1",
    masterPort: 29500,
    networkInterface: "eth1",
  });
});

test.each([
  [{ ...torchrun, MASTER_ADDR: undefined }, "MASTER_ADDR", /MASTER_ADDR: is not set; it must be the address of the process of rank 0/],
  [{ ...torchrun, WORLD_SIZE: undefined }, "WORLD_SIZE", /is not set/],
  [{ ...torchrun, RANK: "8" }, "RANK", /expected an integer from 0 to 7, received "8"/],
  [{ ...torchrun, WORLD_SIZE: "many" }, "WORLD_SIZE", /expected an integer of at least 1, received "many"/],
  [{ ...torchrun, MASTER_PORT: "0" }, "MASTER_PORT", /from 1 to 65535/],
  [{ ...torchrun, LOCAL_RANK: "4" }, "LOCAL_RANK", /from 0 to 3/],
])("a wrong variable is named: %j", (environment, variable, message) => {
  let error: unknown;
  try {
    placeFromEnvironment(environment);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(EnvironmentError);
  expect((error as EnvironmentError).variable).toBe(variable);
  expect((error as EnvironmentError).message).toMatch(message);
});

test("the place comes from Slurm's variables inside a step, not in a batch script around it", () => {
  const slurm = {
    SLURM_PROCID: "5",
    SLURM_NTASKS: "7",
    SLURM_LOCALID: "1",
    SLURM_NODEID: "2",
    SLURM_JOB_ID: "4711",
    SLURM_STEP_ID: "2",
    SLURM_STEP_TASKS_PER_NODE: "2(x3),1",
    SLURM_JOB_NODELIST: "gpu[03-05,9],login1",
  };
  const place = placeFromEnvironment(slurm)!;
  expect(place).toMatchObject({ rank: 5, worldSize: 7, localRank: 1, localWorldSize: 2, masterAddress: "gpu03" });
  expect(placeFromEnvironment({ ...slurm, SLURM_PROCID: "0", SLURM_NODEID: "0" })!.masterPort).toBe(place.masterPort);
  expect(placeFromEnvironment({ ...slurm, SLURM_STEP_ID: "3" })!.masterPort).not.toBe(place.masterPort);
  expect(placeFromEnvironment({ ...slurm, MASTER_ADDR: "10.0.0.1", MASTER_PORT: "1234" })).toMatchObject({
    masterAddress: "10.0.0.1",
    masterPort: 1234,
  });
  expect(placeFromEnvironment({ ...slurm, SLURM_JOB_NODELIST: "", SLURM_LAUNCH_NODE_IPADDR: "10.0.0.2" })!.masterAddress).toBe("10.0.0.2");
  expect(() => placeFromEnvironment({ ...slurm, SLURM_JOB_NODELIST: undefined })).toThrow(/SLURM_LAUNCH_NODE_IPADDR/);
  expect(placeFromEnvironment({ ...slurm, SLURM_STEP_ID: undefined })).toBeUndefined();
});

test.each([
  ["node7", "node7"],
  ["a1,a2", "a1"],
  ["gpu[03-05,7],login", "gpu03"],
  ["gpu[11,13]", "gpu11"],
  ["rack[1-2]node[3,4]", "rack1node3"],
  ["h[001-128].cluster.org", "h001.cluster.org"],
])("the first host of %s is %s", (list, host) => expect(firstHost(list)).toBe(host));
