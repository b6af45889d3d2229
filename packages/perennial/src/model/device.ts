import { cuda, type Device, type Tensor } from "@perennial/torch";

/**
 * A tensor on the model's device. What was made on the CPU travels to a GPU through pinned memory: the copy is asked for, not
 * waited for, and the work that is asked for next comes after it.
 */
export function sentTo(tensor: Tensor, device: Device): Tensor {
  if (tensor.device === device) return tensor;
  const source = device.startsWith("cuda") && tensor.device === "cpu" ? cuda.pin(tensor) : tensor;
  return source.to({ device, nonBlocking: true });
}
