/** What a text costs a model after another one: Σ −ln p(target_t | context, target_<t), in nats, and its tokens. */
import { nn, noGrad, scope, tensor, torch } from "@perennial/torch";
import type { Decoder } from "../../model/index.ts";

/** `context` has at least one token; both together fit the model's positions. */
export function conditionalLoss(
  model: Decoder,
  context: readonly number[],
  target: readonly number[],
): { lossSum: number; tokens: number } {
  const ids = [...context, ...target];
  const losses = noGrad(() =>
    scope(() => {
      const inputIds = tensor(Int32Array.from(ids.slice(0, -1)), { shape: [1, ids.length - 1], dtype: "int64" });
      const labels = tensor(Int32Array.from(ids.slice(1)), { shape: [ids.length - 1], dtype: "int64" });
      return nn.crossEntropy(torch.flatten(model.logits({ inputIds }).float(), 0, 1), labels, { reduction: "none" }).toFloat32Array();
    }),
  );
  return { lossSum: losses.slice(context.length - 1).reduce((sum, loss) => sum + loss, 0), tokens: target.length };
}
