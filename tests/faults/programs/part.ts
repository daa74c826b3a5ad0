import {
  ConnectionError,
  MqttMessageQueue,
  type QoS,
  type QueueOptions,
  TimeoutError,
} from "../../../mod.ts";
import { Ledger } from "./ledger.ts";

/** What a program of the campaign is told, as JSON in its first argument. */
export interface PartSetting {
  /** The broker, through a network that breaks. */
  url: string;
  /** The queue's name. */
  queue: string;
  /** The file of its own that it appends to. */
  ledger: string;
  clientId: string;
  qos: QoS;
  protocolVersion: 4 | 5;
  seed: number;
  /** Producers: where to send to, in turn. */
  topics: string[];
  /** Producers: messages a second. */
  rate: number;
  /** Consumers: how they take messages. */
  style: "receive" | "listen" | "remove";
  ackOrder: "arrival" | "settled";
}

/** Milliseconds, short, so that broken links are found within the campaign. */
const TIMES = { keepaliveTimeout: 2_000, connectTimeout: 3_000, reconnectTimeout: 20 };
const SEND_TIMEOUT_MS = 20_000;
const OPEN_AGAIN_MS = 100;
const CLOSE_BOUND_MS = 30_000;
const FREEZE_BOUND_MS = 30_000;

/** What a listener throws to give a message back: no error of the queue. */
export const DECLINED = "not this time";

/** The bound of a send, a dead letter and what else needs the broker's answer. */
export const ANSWER_BOUND_MS = SEND_TIMEOUT_MS + 2_000;

/** A program's part in the campaign: its queue, its ledger, and when it has to stop or to die. */
export class Part {
  readonly setting: PartSetting;
  readonly ledger: Ledger;
  readonly queue: MqttMessageQueue;
  /** Aborted by SIGTERM. */
  readonly stopping = new AbortController();
  #frozenAt: string | null = null;

  /** Runs a program's work between `open` and `close`. */
  static async run(work: (part: Part) => Promise<void>, options: QueueOptions = {}): Promise<void> {
    const part = new Part(JSON.parse(Deno.args[0]) as PartSetting, options);
    const stop = () => part.stopping.abort();
    const first = () => part.#frozenAt = "first";
    const second = () => part.#frozenAt = "second";
    Deno.addSignalListener("SIGTERM", stop);
    Deno.addSignalListener("SIGUSR1", first);
    Deno.addSignalListener("SIGUSR2", second);
    await part.#open();
    await work(part);
    await part.ledger.bounded("close", CLOSE_BOUND_MS, part.queue.close());
    part.ledger.write("ended");
    Deno.removeSignalListener("SIGTERM", stop);
    Deno.removeSignalListener("SIGUSR1", first);
    Deno.removeSignalListener("SIGUSR2", second);
  }

  private constructor(setting: PartSetting, options: QueueOptions) {
    const { url, queue, clientId, qos, protocolVersion, ackOrder } = setting;
    this.setting = setting;
    this.ledger = new Ledger(setting.ledger);
    this.queue = new MqttMessageQueue(queue, {
      ...{ url, clientId, qos, protocolVersion, ackOrder, ...TIMES },
      sendTimeout: SEND_TIMEOUT_MS,
      ...options,
    });
    this.queue.addEventListener("statechange", ({ detail: { state, retryInMs, cause } }) => {
      this.ledger.write("state", { what: state, retryInMs });
      if (state === "disconnected") this.ledger.write("error", { what: String(cause) });
    });
    this.queue.addEventListener("sessionlost", ({ detail: { reason, held } }) => {
      this.ledger.write("error", { what: `session ${reason}, ${held} held` });
    });
    this.queue.addEventListener("error", ({ detail: { error } }) => {
      if (error.message !== DECLINED) this.ledger.write("error", { what: String(error) });
    });
  }

  /** Whether the next message is the one to die with, at the first or the second point. */
  diesAt(point: "first" | "second"): boolean {
    return this.#frozenAt === point;
  }

  /** Stands still for good at this very point, which is told: whoever hears it kills this process. */
  freeze(): void {
    Deno.stdout.writeSync(new TextEncoder().encode("frozen\n"));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FREEZE_BOUND_MS);
  }

  /** Tries until the broker is there: `open` tries once. */
  async #open(): Promise<void> {
    const bound = 2 * TIMES.connectTimeout + 4_000;
    while (!this.stopping.signal.aborted) {
      try {
        await this.ledger.bounded("open", bound, this.queue.open());
        this.ledger.write("opened");
        return;
      } catch (error) {
        // No broker, or a network that does not answer: that is what the campaign is about.
        const explained = error instanceof TimeoutError || error instanceof ConnectionError;
        if (!explained) this.ledger.write("error", { what: `open: ${error}` });
        await new Promise((resolve) => setTimeout(resolve, OPEN_AGAIN_MS));
      }
    }
  }
}
