/** A sentence on each operator that people use, with shapes and errors; the generator puts it before the schemas. */
export const operatorDocs: Readonly<Record<string, string>> = {
  matmul:
    "Matrix product over the last two dimensions, the others broadcast: [...,M,K] × [...,K,N] → [...,M,N].\nErrors: inner dimensions that differ, or dtypes that differ.",
  softmax: "exp(x) / Σ exp(x) along `dim`; the shape stays.",
};
