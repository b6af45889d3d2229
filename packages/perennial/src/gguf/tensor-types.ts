/** How the numbers of a tensor are stored: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, `ggml_type`. */

export interface TensorType {
  readonly id: number;
  readonly name: TensorTypeName;
  /** Values that are stored together, and the bytes that they take. */
  readonly blockValues: number;
  readonly blockBytes: number;
}

export type TensorTypeName = "F32" | "F16" | "BF16" | "Q8_0" | "Q4_0" | "Q4_1" | "Q5_0" | "Q5_1" | "Q4_K" | "Q5_K" | "Q6_K";

const rows: readonly (readonly [id: number, name: TensorTypeName, blockValues: number, blockBytes: number])[] = [
  [0, "F32", 1, 4],
  [1, "F16", 1, 2],
  [2, "Q4_0", 32, 2 + 16],
  [3, "Q4_1", 32, 2 + 2 + 16],
  [6, "Q5_0", 32, 2 + 4 + 16],
  [7, "Q5_1", 32, 2 + 2 + 4 + 16],
  [8, "Q8_0", 32, 2 + 32],
  [12, "Q4_K", 256, 2 + 2 + 12 + 128],
  [13, "Q5_K", 256, 2 + 2 + 12 + 32 + 128],
  [14, "Q6_K", 256, 128 + 64 + 16 + 2],
  [30, "BF16", 1, 2],
];

const types = rows.map(([id, name, blockValues, blockBytes]): TensorType => ({ id, name, blockValues, blockBytes }));

export const tensorTypesById: ReadonlyMap<number, TensorType> = new Map(types.map((type) => [type.id, type]));
export const tensorTypes = Object.fromEntries(types.map((type) => [type.name, type])) as Readonly<Record<TensorTypeName, TensorType>>;

/** Types that exist but are not read here: so that an error can call them by their name. */
export const otherTypeNames: ReadonlyMap<number, string> = new Map([
  [9, "Q8_1"],
  [10, "Q2_K"],
  [11, "Q3_K"],
  [15, "Q8_K"],
  [16, "IQ2_XXS"],
  [17, "IQ2_XS"],
  [18, "IQ3_XXS"],
  [19, "IQ1_S"],
  [20, "IQ4_NL"],
  [21, "IQ3_S"],
  [22, "IQ2_S"],
  [23, "IQ4_XS"],
  [24, "I8"],
  [25, "I16"],
  [26, "I32"],
  [27, "I64"],
  [28, "F64"],
  [29, "IQ1_M"],
  [34, "TQ1_0"],
  [35, "TQ2_0"],
  [39, "MXFP4"],
  [40, "NVFP4"],
]);
