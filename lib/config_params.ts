import { ConfigError } from "./errors.ts";

/**
 * A flat list of configuration values under dotted keys, as Pip.Services components take them.
 *
 * @example
 * ```ts
 * import { ConfigParams, MqttMessageQueue } from "../mod.ts";
 * const queue = new MqttMessageQueue();
 * queue.configure(ConfigParams.fromTuples("topic", "orders", "options.qos", 2));
 * queue.configure(ConfigParams.fromString("topic=orders;options.qos=2"));
 * queue.configure(ConfigParams.fromObject({ topic: "orders", options: { qos: 2 } }));
 * ```
 */
export class ConfigParams implements Iterable<[string, unknown]> {
  readonly #values: ReadonlyMap<string, unknown>;

  private constructor(values: ReadonlyMap<string, unknown>) {
    this.#values = values;
  }

  /**
   * Keys and values in turn: `fromTuples("topic", "orders", "options.qos", 1)`.
   *
   * @throws {ConfigError} where a key is no string or the last one has no value
   */
  static fromTuples(...tuples: unknown[]): ConfigParams {
    const values = new Map<string, unknown>();
    for (let index = 0; index < tuples.length; index += 2) {
      const key = tuples[index];
      if (typeof key !== "string" || key === "") {
        throw new ConfigError(
          `Cannot configure: argument ${index + 1} must be a key, received ${String(key)}`,
          String(key),
        );
      }
      if (index + 1 === tuples.length) {
        throw new ConfigError(`Cannot configure: the key "${key}" has no value`, key);
      }
      values.set(key, tuples[index + 1]);
    }
    return new ConfigParams(values);
  }

  /**
   * A flat object with dotted keys, a nested one, or a mix; nested keys are joined with dots.
   *
   * @throws {ConfigError} where it is no object
   */
  static fromObject(object: Record<string, unknown>): ConfigParams {
    if (typeof object !== "object" || object === null) {
      throw new ConfigError(`Cannot configure: an object is needed, received ${object}`, "");
    }
    const values = new Map<string, unknown>();
    flatten(object, "", values);
    return new ConfigParams(values);
  }

  /**
   * `key=value` pairs with semicolons between them; blanks around both are dropped.
   *
   * @throws {ConfigError} where it is no text or a part has no `=`
   */
  static fromString(line: string): ConfigParams {
    if (typeof line !== "string") {
      throw new ConfigError(`Cannot configure: text is needed, received ${typeof line}`, "");
    }
    const values = new Map<string, unknown>();
    for (const part of line.split(";")) {
      if (part.trim() === "") continue;
      const equals = part.indexOf("=");
      const key = part.slice(0, Math.max(equals, 0)).trim();
      if (key === "") {
        // The part may be half of a password that has a semicolon: it is not shown.
        throw new ConfigError("Cannot configure: key=value is needed between the semicolons", "");
      }
      values.set(key, part.slice(equals + 1).trim());
    }
    return new ConfigParams(values);
  }

  /** The value under a dotted key, or `undefined`. */
  get(key: string): unknown {
    return this.#values.get(key);
  }

  /** Keys and values in the order in which they were given. */
  [Symbol.iterator](): IterableIterator<[string, unknown]> {
    return this.#values.entries();
  }
}

function flatten(object: object, prefix: string, into: Map<string, unknown>): void {
  for (const [key, value] of Object.entries(object)) {
    const path = prefix === "" ? key : `${prefix}.${key}`;
    if (isPlainObject(value)) flatten(value, path, into);
    else into.set(path, value);
  }
}

function isPlainObject(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
