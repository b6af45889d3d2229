import { scope, type Tensor, torch } from "@perennial/torch";

/** Elements that elementwise work holds at a time. */
const CHUNK = 1 << 20;

/** The floating point type that arithmetic on `tensor` is done in. */
const workingDtype = (tensor: Tensor) => (tensor.dtype === "float64" ? "float64" : "float32");

/** Calls `body` with slices of the flattened tensors, in the working dtype, freeing what it makes after each. */
export function eachChunk(tensors: readonly Tensor[], body: (slices: readonly Tensor[], start: number) => void): void {
  const { numel } = tensors[0]!;
  for (let start = 0; start < numel; start += CHUNK)
    scope(() => {
      const end = Math.min(start + CHUNK, numel);
      body(
        tensors.map((tensor) => tensor.reshape([-1]).slice(0, start, end).to(workingDtype(tensor))),
        start,
      );
    });
}

/** A tensor like the first, filled slice by slice. Memory: the output and a chunk of each input. */
export function mapChunks(tensors: readonly Tensor[], body: (slices: readonly Tensor[], start: number) => Tensor): Tensor {
  const first = tensors[0]!;
  const output = torch.empty([first.numel], { dtype: first.dtype });
  eachChunk(tensors, (slices, start) => {
    output.slice(0, start, start + slices[0]!.numel).copy_(body(slices, start));
  });
  return output.view([...first.shape]);
}
