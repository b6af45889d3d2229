/** Deterministic mode reaches libtorch. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { determinism, scope, setDeterministic, TorchError, tensor, torch } from "../src/index.ts";

afterEach(() => setDeterministic(false));

/** Which of two values written to one place stays is not fixed. */
const ambiguous = () => torch.zeros([3]).put_(tensor([0, 0], { dtype: "int64" }), tensor([1, 2]));

test("in deterministic mode an operator without a deterministic kernel is an error, and fresh memory is NaN", () => {
  scope(() => {
    expect(determinism()).toBe("off");
    expect(ambiguous().shape).toEqual([3]);
    setDeterministic(true);
    expect(determinism()).toBe("throws");
    expect(ambiguous).toThrow(TorchError);
    expect(ambiguous).toThrow(/put_ does not have a deterministic implementation/);
    expect(torch.empty([1000]).isnan().all().item()).toBe(1);
    setDeterministic(false);
    expect(determinism()).toBe("off");
    expect(ambiguous().shape).toEqual([3]);
  });
});

test("with warnOnly it is computed, and told on standard error", () => {
  setDeterministic(true, { warnOnly: true });
  expect(determinism()).toBe("warns");
  const script = `import { setDeterministic, tensor, torch } from "@perennial/torch";
    setDeterministic(true, { warnOnly: true });
    console.log(torch.zeros([2]).put_(tensor([0n]), tensor([7])).toArray().join());`;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--conditions", "source", "--import", "tsx", "--input-type=module", "-e", script],
    { cwd: fileURLToPath(new URL("..", import.meta.url)), encoding: "utf8", env: { ...process.env, NODE_OPTIONS: "" } },
  );
  expect(status, stderr).toBe(0);
  expect(stdout).toBe("7,0\n");
  expect(stderr).toMatch(/Warning: put_ does not have a deterministic implementation/);
});
