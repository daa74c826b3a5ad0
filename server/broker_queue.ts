import { createHash } from "node:crypto";
import { type MessageEnvelope, MqttMessageQueue } from "../mod.ts";
import {
  type ApiDeadLetter,
  type ApiMessage,
  writeDeadLetter,
  writeMessage,
} from "./api_messages.ts";
import type { BrokerTarget } from "./cli_options.ts";
import type { CliQueue, HeldMessage } from "./cli_queue.ts";

/** How a {@linkcode BrokerQueue} is opened. */
export interface BrokerQueueOptions {
  /** Whether it receives, and so needs the durable session. */
  receives: boolean;
  /** Ends every wait. */
  signal: AbortSignal;
  /** Hears what happens beside the work, as a sentence. */
  onNotice: (text: string) => void;
}

/** The shell's queue on a broker. */
export class BrokerQueue implements CliQueue {
  readonly topic: string;
  readonly sendWindow = 1000;
  readonly #queue: MqttMessageQueue;
  readonly #broken = new AbortController();
  /** Ends every wait: Ctrl-C, or a session that another process took. */
  readonly #signal: AbortSignal;

  /** Connects; one attempt. */
  static async open(target: BrokerTarget, options: BrokerQueueOptions): Promise<BrokerQueue> {
    const queue = new BrokerQueue(target, options);
    await queue.#queue.open(null, { signal: queue.#signal });
    return queue;
  }

  private constructor(target: BrokerTarget, { receives, signal, onNotice }: BrokerQueueOptions) {
    const { url, topic, qos, username, password } = target;
    // Who only sends needs no session, and must not take over the one of a shell that receives.
    const clientId = target.clientId ?? (receives ? ownClientId(topic) : undefined);
    this.topic = topic;
    this.#queue = new MqttMessageQueue(topic, {
      url,
      qos,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      ...(clientId === undefined ? {} : { clientId }),
    });
    this.#signal = AbortSignal.any([signal, this.#broken.signal]);
    this.#watch(clientId, onNotice);
  }

  async send(envelope: MessageEnvelope): Promise<string> {
    await this.#queue.send(null, envelope, { signal: this.#signal });
    return envelope.messageId;
  }

  async receive(waitMs: number): Promise<HeldMessage | null> {
    const queue = this.#queue;
    const options = { mode: "peekLock", signal: this.#signal } as const;
    const envelope = await queue.receive(null, waitMs, options);
    if (envelope === null) {
      // Nothing came, but is nothing there?
      if (queue.state === "connected") return null;
      throw new Error("Cannot receive: the link to the broker was lost");
    }
    return {
      message: writeMessage(envelope),
      complete: () => queue.complete(envelope),
      abandon: () => queue.abandon(envelope),
      renew: () => queue.renewLock(envelope),
    };
  }

  async peek(max: number): Promise<ApiMessage[]> {
    return (await this.#queue.peekBatch(null, max, { signal: this.#signal })).map(writeMessage);
  }

  count(): Promise<number> {
    return this.#queue.readMessageCount({ signal: this.#signal });
  }

  async peekDeadLetters(max: number): Promise<ApiDeadLetter[]> {
    const letters = await this.#queue.deadLetters.peekBatch(max, { signal: this.#signal });
    return letters.map(writeDeadLetter);
  }

  redrive(id: string | null): Promise<number> {
    return this.#queue.deadLetters.redrive(id ?? undefined, { signal: this.#signal });
  }

  purge(id: string | null): Promise<number> {
    return this.#queue.deadLetters.purge(id ?? undefined, { signal: this.#signal });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue.close();
  }

  #watch(clientId: string | undefined, onNotice: (text: string) => void): void {
    let lost = false;
    this.#queue.addEventListener("statechange", ({ detail: { state } }) => {
      if (state === "reconnecting" && !lost) {
        onNotice("The link to the broker was lost; trying again.");
      }
      if (state === "connected" && lost) onNotice("The link to the broker is back.");
      lost = state === "reconnecting" || (lost && state === "connecting");
    });
    this.#queue.addEventListener("sessionlost", ({ detail: { reason } }) => {
      if (reason !== "taken-over") return;
      this.#broken.abort(
        new Error(
          `Cannot go on: another process took over the session "${clientId}"; give one of them a --client-id`,
        ),
      );
    });
    this.#queue.addEventListener("error", ({ detail: { error } }) => onNotice(error.message));
  }
}

/** Stable, so that the session is found again; apart for each user, machine and topic; no character that a broker refuses. */
function ownClientId(topic: string): string {
  const { get } = Deno.env;
  const user = get("USER") ?? get("LOGNAME") ?? get("USERNAME") ?? "user";
  const hash = createHash("sha256").update(topic).digest("hex").slice(0, 8);
  return `shell-${user}-${Deno.hostname()}-${hash}`.replace(/[^\w.-]/g, "_");
}
