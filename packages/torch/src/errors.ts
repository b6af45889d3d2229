/** An error from inside libtorch: operator, libtorch's own first line, what was passed, and the operator's schema. */
export class TorchError extends Error {
  readonly code = "TORCH";
  /** The operator, e.g. `aten::matmul`, when one was being called. */
  readonly operator: string | undefined;

  constructor(message: string, operator?: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "TorchError";
    this.operator = operator;
  }
}
