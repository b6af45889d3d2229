/** Every operator of golden/operators.json against PyTorch of the pinned version: values, dtypes, shapes and gradients. */
import { expect, test } from "vitest";
import { callOperator, type Device, grad, liveTensors, scope, Tensor, torch } from "../src/index.ts";
import { closeOn, forEachDevice } from "./devices.ts";
import { type Closeness, decode, difference, type Golden, isPinned, readGolden, tensorsIn } from "./golden.ts";

interface Case {
  op: string;
  args: Golden[];
  options: Record<string, Golden>;
  out: Golden;
  grads?: Golden[];
  tolerance?: number | "signs";
}
const cases = readGolden<Case[]>("operators");

/** Σ cos(i + 1) · outᵢ over all elements of all results: gives every element its own share of the gradient. */
function lossOf(results: unknown): Tensor {
  let total = torch.zeros([], { dtype: "float64", device: tensorsIn(results)[0]?.device ?? null });
  let position = 0;
  for (const out of tensorsIn(results)) {
    const flat = (out.dtype.startsWith("complex") ? torch.real(out) : out).reshape([-1]).to("float64");
    const weights = torch.arange(position + 1, position + 1 + flat.numel, { dtype: "float64", device: flat.device }).cos();
    if (out.requiresGrad) total = total.add(weights.mul(flat).sum());
    position += flat.numel;
  }
  return total;
}

/** Wrong in Debian's libtorch itself: its BLAS returns complex numbers in another way than it expects. */
const brokenInDebian = new Set(["vdot"]);

const camel = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** The golden value with its tensors on the device, as leaves there. */
function placed(value: Golden, device: Device): unknown {
  if (Array.isArray(value)) return value.map((item) => placed(item, device));
  const decoded = decode(value);
  if (!(decoded instanceof Tensor) || device === "cpu") return decoded;
  return decoded.detach().to(device).requiresGrad_(decoded.requiresGrad);
}

function check({ op, args, options, out, grads, tolerance }: Case, device: Device): string | undefined {
  const close: Closeness = closeOn(
    device,
    tolerance === "signs"
      ? { relative: 1e-4, absolute: 1e-5, signs: true }
      : { relative: tolerance ?? 2e-5, absolute: typeof tolerance === "number" ? tolerance : 2e-6 },
  );
  const given = args.map((value) => placed(value, device));
  const named = Object.fromEntries(Object.entries(options).map(([name, value]) => [camel(name), placed(value, device)]));
  const leaves = [...tensorsIn(given), ...tensorsIn(Object.values(named))].filter((value) => value.requiresGrad);
  const called = [...given];
  if (op.endsWith("_")) called[0] = Array.isArray(given[0]) ? given[0].map((item: Tensor) => item.clone()) : (given[0] as Tensor).clone();
  else if ("out" in options)
    called.forEach((value, i) => {
      called[i] = tensorsIn(value).length === 1 ? (value as Tensor).detach() : value;
    });
  const result = callOperator(`aten::${op}`, called, named);
  const wrong = difference(result, out, close);
  if (wrong !== undefined || grads === undefined) return wrong;
  const found = grad(lossOf(result), leaves, { allowUnused: true });
  // Gradients of eigenvectors and the like pass through 1/differences: single precision holds fewer digits there.
  return difference(
    found,
    grads,
    { ...close, relative: Math.max(close.relative!, 2e-4), absolute: Math.max(close.absolute!, 2e-5) },
    "gradient",
  );
}

forEachDevice((device) => {
  test(`${cases.length} calls give PyTorch's values and gradients, and leave nothing behind`, () => {
    expect(new Set(cases.map((item) => item.op)).size).toBeGreaterThan(380);
    const before = liveTensors();
    const wrong = cases.flatMap((item, i) => {
      try {
        const text = scope(() => check(item, device));
        if (!isPinned && brokenInDebian.has(item.op)) return [];
        return text === undefined ? [] : [`${item.op} (line ${i + 2}): ${text}`];
      } catch (error) {
        // Older versions lack some derivatives and operators.
        if (!isPinned && /^derivative for .* is not implemented|has no operator/.test((error as Error).message)) return [];
        // Some operators (those of oneDNN, for one) have no kernel on a GPU; creation without a device stays on the CPU.
        if (device !== "cpu" && /'CUDA' backend|on the same device|not implemented/.test((error as Error).message)) return [];
        return [`${item.op} (line ${i + 2}): ${(error as Error).message}`];
      }
    });
    expect(wrong).toEqual([]);
    expect(liveTensors()).toBe(before);
  });
});
