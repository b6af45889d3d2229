import type { nn } from "@perennial/torch";
import type { Adaptation } from "./adaptation.ts";

/** Every parameter moves. Matrices decay; vectors (norms, biases) do not, since decay pulls them away from neutral. */
export function full(model: nn.Module): Adaptation {
  const parameters = model.parameters.filter((parameter) => parameter.requiresGrad);
  return {
    name: "full",
    parameterSets: [
      { name: "matrices", parameters: parameters.filter((parameter) => parameter.ndim >= 2) },
      { name: "vectors", parameters: parameters.filter((parameter) => parameter.ndim < 2), weightDecay: 0 },
    ].filter((set) => set.parameters.length > 0),
  };
}
