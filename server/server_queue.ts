import type { MessageEnvelope } from "../mod.ts";
import type { ApiDeadLetter, ApiMessage } from "./api_messages.ts";
import type { ServerTarget } from "./cli_options.ts";
import type { CliQueue, HeldMessage } from "./cli_queue.ts";

const MAX_ANSWER_MS = 60_000;
/** One request waits so long; a longer wait is several of them. */
const MAX_WAIT_MS = 30_000;

/** Thrown where a server does not do what it was asked for. */
export class ServerRefusedError extends Error {
  override readonly name = "ServerRefusedError";
  /** The status of the answer. */
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

interface Call {
  /** The body of a change; what only looks has none. */
  fields?: Record<string, unknown>;
  query?: Record<string, string>;
  /** How long the server itself may wait. */
  waitMs?: number;
  /** Whether it is seen through after Ctrl-C too. */
  always?: boolean;
}

/** The shell's queue on a running server, through its JSON API. */
export class ServerQueue implements CliQueue {
  readonly sendWindow = 1;
  readonly #target: ServerTarget;
  readonly #signal: AbortSignal;
  #topic = "";

  /** Asks the server for its queue, so that a wrong address or token shows at once. */
  static async open(target: ServerTarget, signal: AbortSignal): Promise<ServerQueue> {
    const queue = new ServerQueue(target, signal);
    const stats = await queue.#call<{ topic?: unknown }>("stats");
    if (typeof stats?.topic !== "string") throw queue.#stranger(200);
    queue.#topic = stats.topic;
    return queue;
  }

  private constructor(target: ServerTarget, signal: AbortSignal) {
    this.#target = target;
    this.#signal = signal;
  }

  get topic(): string {
    return this.#topic;
  }

  async send(envelope: MessageEnvelope): Promise<string> {
    const { messageType: type, correlationId, message } = envelope;
    const fields = { type, correlationId, ...writeBody(message ?? new Uint8Array()) };
    return (await this.#call<{ messageId: string }>("send", { fields }))!.messageId;
  }

  async receive(waitMs: number): Promise<HeldMessage | null> {
    const deadline = Date.now() + waitMs;
    for (let left = waitMs;; left = deadline - Date.now()) {
      const timeout = Math.ceil(Math.min(Math.max(left, 0), MAX_WAIT_MS));
      const fields = { timeout, mode: "peekLock" };
      const message = await this.#call<ApiMessage>("receive", { fields, waitMs: timeout });
      if (message !== null) return this.#hold(message);
      if (timeout >= left) return null;
    }
  }

  async peek(max: number): Promise<ApiMessage[]> {
    return (await this.#call<ApiMessage[]>("peek", { query: { max: `${max}` } }))!;
  }

  async count(): Promise<number> {
    return (await this.#call<{ count: number }>("count"))!.count;
  }

  async peekDeadLetters(max: number): Promise<ApiDeadLetter[]> {
    return (await this.#call<ApiDeadLetter[]>("dead-letters", { query: { max: `${max}` } }))!;
  }

  async redrive(messageId: string | null): Promise<number> {
    return (await this.#call<{ count: number }>("redrive", { fields: { messageId } }))!.count;
  }

  async purge(messageId: string | null): Promise<number> {
    return (await this.#call<{ count: number }>("purge", { fields: { messageId } }))!.count;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Each request stands alone: there is nothing to end.
  }

  #hold(message: ApiMessage): HeldMessage {
    const { messageId } = message;
    const settle = async (path: string) => {
      await this.#call(path, { fields: { messageId }, always: true });
    };
    return {
      message,
      complete: () => settle("complete"),
      abandon: () => settle("abandon"),
      renew: () => settle("renew"),
    };
  }

  /** The answer, or `null` where there is nothing to say (204). */
  async #call<T>(path: string, call: Call = {}): Promise<T | null> {
    const { status, text } = await this.#fetch(path, call);
    if (status === 204) return null;
    const value = parse(text);
    if (status === 200 && value !== undefined) return value as T;
    if (status === 401) {
      throw new ServerRefusedError(
        "Cannot use the server: it asks for its token, give it with --token or MQTT_QUEUE_TOKEN",
        status,
      );
    }
    const detail = (value as { detail?: unknown } | null | undefined)?.detail;
    if (typeof detail !== "string") throw this.#stranger(status);
    throw new ServerRefusedError(detail, status);
  }

  async #fetch(path: string, { fields, query, waitMs = 0, always }: Call) {
    const { url, token, topic } = this.#target;
    const address = new URL(`api/${path}`, url);
    for (const [name, value] of Object.entries(query ?? {})) address.searchParams.set(name, value);
    if (topic !== undefined) address.searchParams.set("topic", topic);
    const late = AbortSignal.timeout(waitMs + MAX_ANSWER_MS);
    try {
      const response = await fetch(address, {
        method: fields === undefined ? "GET" : "POST",
        headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
        body: fields === undefined ? undefined : JSON.stringify(fields),
        redirect: "manual", // A change that is led elsewhere would arrive as a question.
        signal: always ? late : AbortSignal.any([this.#signal, late]),
      });
      return { status: response.status, text: await response.text() };
    } catch (cause) {
      if (!always) this.#signal.throwIfAborted();
      const why = late.aborted ? "no answer came in time" : lastWords(cause);
      throw new Error(`Cannot reach the server at ${url}: ${why}`, { cause });
    }
  }

  #stranger(status: number): Error {
    return new ServerRefusedError(
      `Cannot use the server at ${this.#target.url}: no MqttMessageQueue answers there, received status ${status}`,
      status,
    );
  }
}

/** Text travels as it is; bytes that are no text in base64. */
function writeBody(body: Uint8Array): { message: string; encoding?: "base64" } {
  try {
    return { message: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body) };
  } catch {
    return { message: body.toBase64(), encoding: "base64" };
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Some other server's page.
  }
}

/** What lies at the bottom of a failed request, such as "Connection refused (os error 111)". */
function lastWords(error: unknown): string {
  if (error instanceof Error && error.cause !== undefined) return lastWords(error.cause);
  const message = error instanceof Error ? error.message : String(error);
  return message.split(": ").at(-1) ?? message;
}
