import { abortable } from "./abortable.ts";
import { assertCount, type SendOptions, type WaitOptions } from "./call_options.ts";
import type { Connection, Delivery } from "./connection.ts";
import { NotSupportedError } from "./errors.ts";
import { MessageEnvelope, type MessageEnvelopeJson, readEnvelope } from "./message_envelope.ts";
import { assertTopicName } from "./topic_filter.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
/** The payload that removes a retained message. */
const NOTHING = new Uint8Array();
/** The longest level that an id makes as it is, in bytes. */
const MAX_LEVEL = 1_024;

/**
 * The user property that says how often a message was redriven. The copy of one that is given up
 * again has a topic of its own by it: whoever redrove it removes the copy before, and must not hit
 * the new one.
 */
const REDRIVES = "redrives";

/** A message that was given up, and why. */
export interface DeadLetter {
  /** Names it for `redrive` and `purge`: the message id. */
  id: string;
  /** The message. */
  envelope: MessageEnvelope;
  /** A short word for the cause, such as `max-deliveries`. */
  reason: string;
  /** What happened, in a sentence. */
  description: string;
  /** The topic on which it had arrived, and to which `redrive` sends it. */
  topic: string;
  /** How often it had been delivered. */
  deliveryCount: number;
  /** When it was given up. */
  time: Date;
}

interface DeadLetterJson extends MessageEnvelopeJson {
  dead_letter: {
    reason: string;
    description: string;
    topic: string;
    delivery_count: number;
    qos?: number;
    time: string;
  };
}

/** Publishes a retained message; resolves when the broker has it. An empty one removes. */
export type PublishRetained = (
  topic: string,
  payload: Uint8Array,
  signal?: AbortSignal,
) => Promise<void>;

/** Sends a message of a dead letter on its way again. */
export type Resend = (envelope: MessageEnvelope, options: SendOptions) => Promise<void>;

/**
 * The messages that a queue gave up.
 *
 * @example
 * ```ts no-eval
 * import { MqttMessageQueue } from "../mod.ts";
 * await using queue = new MqttMessageQueue("orders");
 * await queue.open();
 * for (const letter of await queue.deadLetters.peekBatch(10)) console.log(letter.id, letter.reason);
 * await queue.deadLetters.redrive();
 * ```
 */
export interface DeadLetterStore {
  /** The oldest dead letters, `max` at most; `[]` where there are none. */
  peekBatch(max: number, options?: WaitOptions): Promise<DeadLetter[]>;
  /** How many there are. */
  count(options?: WaitOptions): Promise<number>;
  /**
   * Sends a dead letter, or all, to where it came from. It is purged once the broker has it there;
   * where the broker says that nobody is subscribed (MQTT 5, QoS 1) it stays, and this rejects.
   * Resolves with how many were sent. Where the signal ends it, those behind stay. The message says
   * how often it was redriven, in its user property `redrives`.
   */
  redrive(id?: string, options?: WaitOptions): Promise<number>;
  /** Removes a dead letter, or all, for good. Resolves with how many were removed. */
  purge(id?: string, options?: WaitOptions): Promise<number>;
}

/**
 * The dead letters of a queue: retained messages, one topic each,
 * `<prefix>/<queue name>/<message id>`, with `;` and a number behind it for one that was redriven so
 * often before. No session waits for them, so any process can look at them, at any time, on MQTT 5
 * and 3.1.1.
 */
export class DeadLetters implements DeadLetterStore {
  readonly #connection: () => Connection;
  readonly #publish: PublishRetained;
  readonly #resend: Resend;
  readonly #folderOf: () => string;

  /**
   * @param connection the open connection; throws where there is none
   * @param folder what their topics begin with, the last slash included
   * @param publish keeps or removes a copy
   * @param resend sends a message on its way again
   */
  constructor(
    connection: () => Connection,
    folder: () => string,
    publish: PublishRetained,
    resend: Resend,
  ) {
    this.#connection = connection;
    this.#folderOf = folder;
    this.#publish = publish;
    this.#resend = resend;
  }

  /** What their topics begin with, the last slash included. */
  get folder(): string {
    return this.#folderOf();
  }

  async peekBatch(max: number, { signal }: WaitOptions = {}): Promise<DeadLetter[]> {
    assertCount("peek", max);
    let letters: DeadLetter[] = [];
    await this.#read(`${this.folder}+`, signal, (delivery) => {
      letters.push(readDeadLetter(delivery, this.folder) ?? strangeLetter(delivery));
      if (letters.length >= 2 * max) letters = oldest(letters, max); // Not all at a time.
    });
    return oldest(letters, max);
  }

  async count({ signal }: WaitOptions = {}): Promise<number> {
    let count = 0;
    await this.#read(`${this.folder}+`, signal, () => count++);
    return count;
  }

  async redrive(id?: string, { signal }: WaitOptions = {}): Promise<number> {
    let redriven = 0;
    let failure: unknown;
    assertId("redrive", id);
    for (const topic of await this.#topics(id, signal)) {
      try {
        const letter = await this.#readOne(topic, signal);
        if (letter === null) continue; // Not a dead letter of ours: it stays where it is.
        const { envelope } = letter;
        envelope.userProperties[REDRIVES] = `${redrivesOf(envelope) + 1}`;
        await this.#resend(envelope, { topic: letter.topic, signal });
        await this.#publish(topic, NOTHING); // Sent is sent: no signal leaves both.
        redriven++;
      } catch (error) {
        signal?.throwIfAborted();
        failure ??= error; // The others behind it are not held up.
      }
    }
    if (failure !== undefined) throw failure;
    return redriven;
  }

  async purge(id?: string, { signal }: WaitOptions = {}): Promise<number> {
    assertId("purge", id);
    const topics = await this.#topics(id, signal);
    for (const topic of topics) await this.#publish(topic, NOTHING, signal);
    return topics.length;
  }

  /** Keeps a copy of a message; resolves when the broker has it. */
  async add(
    envelope: MessageEnvelope,
    reason: string,
    description: string,
    signal?: AbortSignal,
  ): Promise<void> {
    if (this.#connection().limits?.retainAvailable === false) {
      throw new NotSupportedError("Cannot dead-letter a message: the broker retains none");
    }
    const json: DeadLetterJson = {
      ...envelope.toJSON(),
      dead_letter: {
        reason,
        description,
        topic: envelope.topic ?? "",
        delivery_count: envelope.deliveryCount,
        qos: envelope.qos,
        time: new Date().toISOString(),
      },
    };
    const payload = encoder.encode(JSON.stringify(json));
    const redrives = redrivesOf(envelope);
    const level = await levelOf(envelope.messageId) + (redrives === 0 ? "" : `;${redrives}`);
    await this.#publish(this.folder + level, payload, signal);
  }

  /** The topics of one dead letter, or of all, in the order of their age. */
  async #topics(id: string | undefined, signal: AbortSignal | undefined): Promise<string[]> {
    const all = `${this.folder}+`;
    if (id === undefined) return await this.#topicsUnder(all, signal);
    const topic = this.folder + await levelOf(id);
    const exact = await this.#topicsUnder(topic, signal);
    if (exact.length > 0) return exact;
    // It was redriven before, or somebody else wrote the level in another way.
    return (await this.#topicsUnder(all, signal)).filter((each) =>
      each.startsWith(`${topic};`) || decodeLevel(each.slice(this.folder.length)) === id
    );
  }

  async #topicsUnder(filter: string, signal: AbortSignal | undefined): Promise<string[]> {
    const found: { topic: string; time: number }[] = [];
    await this.#read(filter, signal, (delivery) => {
      const time = readDeadLetter(delivery, this.folder)?.time.getTime() ?? 0;
      found.push({ topic: delivery.topic, time });
    });
    return found.sort((a, b) => a.time - b.time).map(({ topic }) => topic);
  }

  async #readOne(topic: string, signal: AbortSignal | undefined): Promise<DeadLetter | null> {
    let letter: DeadLetter | null = null;
    await this.#read(topic, signal, (delivery) => {
      letter = readDeadLetter(delivery, this.folder);
    });
    return letter;
  }

  async #read(
    filter: string,
    signal: AbortSignal | undefined,
    onMessage: (delivery: Delivery) => void,
  ): Promise<void> {
    signal?.throwIfAborted();
    await abortable(this.#connection().readRetained(filter, onMessage), signal);
  }
}

/** Where the dead letters of a queue are: its name as levels, wildcards made harmless. */
export function deadLetterFolder(prefix: string, name: string): string {
  return `${prefix}/${name.replaceAll("%", "%25").replaceAll("+", "%2B").replaceAll("#", "%23")}/`;
}

function redrivesOf({ userProperties }: MessageEnvelope): number {
  const said = userProperties[REDRIVES] ?? "";
  return /^\d{1,9}$/.test(said) ? Number(said) : 0; // Whoever sends may write anything there.
}

/** Refuses what is neither an id nor left out: `null` for all would be too easy a slip. */
function assertId(action: string, id: string | undefined): void {
  if (id === undefined || typeof id === "string") return;
  throw new TypeError(`Cannot ${action} a dead letter: its id must be text, received ${id}`);
}

function oldest(letters: DeadLetter[], max: number): DeadLetter[] {
  return letters.sort((a, b) => a.time.getTime() - b.time.getTime()).slice(0, max);
}

/** The level of a topic that stands for an id: the id itself where that can be, else its digest. */
async function levelOf(id: string): Promise<string> {
  const wellFormed = id.toWellFormed();
  const level = encodeURIComponent(wellFormed);
  if (wellFormed === id && level !== "" && level.length <= MAX_LEVEL) return level;
  const digest = await crypto.subtle.digest("SHA-256", encoder.encode(JSON.stringify(id)));
  return `sha256-${new Uint8Array(digest).toHex()}`;
}

/** Reads what `add` wrote; `null` where somebody else wrote it. */
function readDeadLetter({ topic, payload }: Delivery, folder: string): DeadLetter | null {
  try {
    const json = JSON.parse(decoder.decode(payload)) as DeadLetterJson;
    const envelope = readEnvelope(json, 0);
    const { reason, description, topic: origin, delivery_count, qos, time } = json.dead_letter;
    if (envelope === null || !topic.startsWith(folder)) return null;
    assertTopicName(origin);
    envelope.topic = origin;
    envelope.deliveryCount = Number(delivery_count) || 0;
    if (qos === 1 || qos === 2) envelope.qos = qos;
    return {
      id: envelope.messageId,
      envelope,
      reason: String(reason),
      description: String(description),
      topic: origin,
      deliveryCount: envelope.deliveryCount,
      time: validDate(time),
    };
  } catch {
    return null; // Whoever may publish there may write anything.
  }
}

/** What stands among the dead letters and is none: it can be looked at and purged. */
function strangeLetter({ topic, payload }: Delivery): DeadLetter {
  const envelope = new MessageEnvelope(null, topic, payload);
  envelope.topic = topic;
  const id = decodeLevel(topic.slice(topic.lastIndexOf("/") + 1));
  const description = "Not written by this queue: it can be purged, not redriven";
  return {
    id,
    envelope,
    reason: "unreadable",
    description,
    topic,
    deliveryCount: 0,
    time: new Date(0),
  };
}

function decodeLevel(level: string): string {
  try {
    return decodeURIComponent(level);
  } catch {
    return level;
  }
}

function validDate(text: string): Date {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? new Date(0) : date;
}
