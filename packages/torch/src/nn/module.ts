import { noGrad } from "../autograd.ts";
import type { Device, Dtype } from "../dtype.ts";
import { isTensor, keep } from "../scope.ts";
import type { Tensor } from "../tensor.ts";

const roles = new WeakMap<Tensor, "parameter" | "buffer">();

/** Marks a tensor as a parameter: trained, saved, and alive until it is disposed of. */
export function parameter(tensor: Tensor, requiresGrad = true): Tensor {
  roles.set(tensor, "parameter");
  return keep(tensor).requiresGrad_(requiresGrad);
}

/** Marks a tensor as a buffer: saved with the module, not trained. */
export function buffer(tensor: Tensor): Tensor {
  roles.set(tensor, "buffer");
  return keep(tensor);
}

export type StateDict = Map<string, Tensor>;

/**
 * A part of a model. Its parameters, buffers and children are simply its fields (or arrays of modules), so that the
 * type system knows them: `model.layers[0].attention.qProj.weight`. Names are the paths of the fields.
 */
export abstract class Module {
  training = true;

  /** Parameters with their paths, each tensor once, in the order of the fields. */
  namedParameters(prefix = ""): [string, Tensor][] {
    return this.namedTensors("parameter", prefix);
  }

  namedBuffers(prefix = ""): [string, Tensor][] {
    return this.namedTensors("buffer", prefix);
  }

  /** All parameters, each once (tied weights are one parameter). */
  get parameters(): Tensor[] {
    return this.namedParameters().map(([, tensor]) => tensor);
  }

  /** This module and all below it, with their paths. */
  *namedModules(prefix = ""): Generator<[string, Module]> {
    yield [prefix, this];
    for (const [name, child] of this.children()) yield* child.namedModules(prefix === "" ? name : `${prefix}.${name}`);
  }

  /** Direct children: fields that are modules, and the elements of fields that are arrays of modules. */
  *children(): Generator<[string, Module]> {
    for (const [name, value] of Object.entries(this)) {
      if (value instanceof Module) yield [name, value];
      else if (Array.isArray(value)) for (const [i, item] of value.entries()) if (item instanceof Module) yield [`${name}.${i}`, item];
    }
  }

  /** Parameters and buffers by path. */
  stateDict(): StateDict {
    return new Map([...this.namedParameters(), ...this.namedBuffers()]);
  }

  /**
   * Copies values into the parameters and buffers, converting their dtype. Strict: throws an error that lists every
   * missing, unexpected and mis-shaped name, and then changes nothing.
   */
  loadStateDict(state: ReadonlyMap<string, Tensor>): void {
    const own = this.stateDict();
    const missing = [...own.keys()].filter((name) => !state.has(name));
    const unexpected = [...state.keys()].filter((name) => !own.has(name));
    const misshaped = [...own].flatMap(([name, tensor]) => {
      const given = state.get(name);
      return given === undefined || given.shape.join() === tensor.shape.join()
        ? []
        : [`${name} (expected [${tensor.shape.join(", ")}], received [${given.shape.join(", ")}])`];
    });
    const problems = [
      ...(missing.length > 0 ? [`missing: ${missing.join(", ")}`] : []),
      ...(unexpected.length > 0 ? [`unexpected: ${unexpected.join(", ")}`] : []),
      ...(misshaped.length > 0 ? [`of another shape: ${misshaped.join(", ")}`] : []),
    ];
    if (problems.length > 0) throw new Error(`The state does not fit ${this.constructor.name}; ${problems.join("; ")}`);
    noGrad(() => {
      for (const [name, tensor] of own) tensor.copy_(state.get(name)!);
    });
  }

  train(training = true): this {
    for (const [, module] of this.namedModules()) module.training = training;
    return this;
  }

  eval(): this {
    return this.train(false);
  }

  requiresGrad_(requiresGrad: boolean): this {
    for (const tensor of this.parameters) tensor.requiresGrad_(requiresGrad);
    return this;
  }

  /** Converts all parameters and buffers; only floating point ones change their dtype. Ties survive. */
  to(target: { dtype?: Dtype; device?: Device }): this {
    const done = new Map<Tensor, Tensor>();
    for (const [, module] of this.namedModules()) {
      for (const [name, value] of Object.entries(module)) {
        const role = isTensor(value) ? roles.get(value) : undefined;
        if (role === undefined) continue;
        const old = value as Tensor;
        let converted = done.get(old);
        if (converted === undefined) {
          const dtype = target.dtype !== undefined && /float/.test(old.dtype) ? target.dtype : old.dtype;
          const fresh = noGrad(() => old.detach().to({ dtype, device: target.device ?? old.device }));
          converted = role === "parameter" ? parameter(fresh, old.requiresGrad) : buffer(fresh);
          done.set(old, converted);
        }
        (module as unknown as Record<string, unknown>)[name] = converted;
      }
    }
    for (const [old, converted] of done) if (old !== converted) old.dispose();
    return this;
  }

  /** Forgets all gradients. */
  zeroGrad(): void {
    for (const tensor of this.parameters) tensor.grad = null;
  }

  /** Frees the memory of all parameters and buffers. */
  dispose(): void {
    for (const tensor of this.stateDict().values()) tensor.dispose();
  }

  private namedTensors(role: "parameter" | "buffer", prefix: string): [string, Tensor][] {
    const found: [string, Tensor][] = [];
    const seen = new Set<Tensor>();
    for (const [path, module] of this.namedModules(prefix)) {
      for (const [name, value] of Object.entries(module)) {
        if (!isTensor(value) || roles.get(value) !== role || seen.has(value)) continue;
        seen.add(value);
        found.push([path === "" ? name : `${path}.${name}`, value]);
      }
    }
    return found;
  }
}
