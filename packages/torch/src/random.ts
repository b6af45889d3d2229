/** Random numbers: libtorch's generators, so that a seed gives PyTorch's numbers. */
import { begin, beginReading, Generator, intern, putBits, putWord, run, take, takeWord } from "./call.ts";
import type { Device } from "./dtype.ts";
import { native } from "./native.ts";
import type { Tensor } from "./tensor.ts";

/** Seeds the default generators of all devices, as `torch.manual_seed` does. */
export function manualSeed(seed: number | bigint): void {
  begin();
  putBits(BigInt(seed));
  native.manualSeed();
}

/** A generator of its own, for tensors on that device. */
export function createGenerator(seed: number | bigint = 67280421310721n, device: Device = "cpu"): Generator {
  begin();
  putWord(intern(device));
  putBits(BigInt(seed));
  run(() => native.createGenerator());
  beginReading();
  return new Generator(takeWord());
}

/** The generator that operators use on a device when none is passed. */
export function defaultGenerator(device: Device = "cpu"): Generator {
  begin();
  putWord(intern(device));
  run(() => native.defaultGenerator());
  beginReading();
  return new Generator(takeWord());
}

/** The complete state, as bytes (uint8). */
export function generatorState(generator: Generator): Tensor {
  begin();
  putWord(generator.handle);
  run(() => native.generatorState());
  beginReading();
  return take() as Tensor;
}

/** Puts back what `generatorState` returned. */
export function setGeneratorState(generator: Generator, state: Tensor): void {
  begin();
  putWord(generator.handle);
  putWord(state.liveHandle);
  run(() => native.setGeneratorState());
}

export { Generator };
