import { noGrad } from "../autograd.ts";
import * as fused from "../fused/index.ts";
import { scope } from "../scope.ts";
import type { Tensor } from "../tensor.ts";
import { torch } from "../torch.ts";

const EPS = 1e-6;

/**
 * Scales the gradients so that their common 2-norm is at most `maxNorm`: g ← g · min(1, maxNorm / (‖g‖ + 1e-6)).
 * Returns ‖g‖ before, as a tensor: nothing waits for the device. With maxNorm = Infinity it only measures.
 */
export function clipGradNorm(parameters: readonly Tensor[], maxNorm: number): Tensor {
  return noGrad(() =>
    scope(() => {
      const gradients = parameters.map((parameter) => parameter.grad).filter((grad) => grad !== null);
      if (gradients.length === 0) return torch.zeros([]);
      const norm = normOf(gradients);
      if (maxNorm !== Number.POSITIVE_INFINITY)
        torch._foreachMul_(gradients, torch.clamp(torch.reciprocal(norm.add(EPS)).mul(maxNorm), { max: 1 }));
      return norm;
    }),
  );
}

/** ‖g‖ over all gradients of the parameters, as a tensor; 0 when there are none. */
export function gradNorm(parameters: readonly Tensor[]): Tensor {
  return noGrad(() =>
    scope(() => {
      const gradients = parameters.map((parameter) => parameter.grad).filter((grad) => grad !== null);
      return gradients.length === 0 ? torch.zeros([]) : normOf(gradients);
    }),
  );
}

function normOf(gradients: readonly Tensor[]): Tensor {
  if (gradients.every((gradient) => gradient.dtype === "float32" && gradient.device === "cpu" && gradient.isContiguous()))
    return fused.globalNorm(gradients);
  return torch.linalgVectorNorm(torch.stack(torch._foreachNorm(gradients, 2)), 2);
}
