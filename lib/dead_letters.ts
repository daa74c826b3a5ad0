import type { Connection, Delivery } from "./connection.ts";
import { NotSupportedError } from "./errors.ts";
import { MessageEnvelope, type MessageEnvelopeJson } from "./message_envelope.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

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
    time: string;
  };
}

/** Publishes a retained message; resolves when the broker has it. An empty one removes. */
export type PublishRetained = (topic: string, payload: Uint8Array) => Promise<void>;

/** Sends a message of a dead letter on its way again. */
export type Resend = (envelope: MessageEnvelope, topic: string) => Promise<void>;

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
  peekBatch(max: number): Promise<DeadLetter[]>;
  /** How many there are. */
  count(): Promise<number>;
  /**
   * Sends a dead letter, or all, to where it came from. It is purged once the broker has it there.
   * Resolves with how many were sent.
   */
  redrive(id?: string): Promise<number>;
  /** Removes a dead letter, or all, for good. Resolves with how many were removed. */
  purge(id?: string): Promise<number>;
}

/**
 * The dead letters of a queue: retained messages, one topic each,
 * `<prefix>/<queue name>/<message id>`. No session waits for them, so any process can look at them,
 * at any time, on MQTT 5 and 3.1.1.
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

  async peekBatch(max: number): Promise<DeadLetter[]> {
    if (!Number.isInteger(max) || max < 1) {
      throw new RangeError(`Cannot peek: a positive whole number is needed, received ${max}`);
    }
    return (await this.#read()).slice(0, max);
  }

  async count(): Promise<number> {
    let count = 0;
    await this.#connection().readRetained(`${this.#folder}+`, () => count++);
    return count;
  }

  async redrive(id?: string): Promise<number> {
    const letters = (await this.#read()).filter((letter) => id === undefined || letter.id === id);
    for (const letter of letters) {
      await this.#resend(letter.envelope, letter.topic);
      await this.#remove(letter.id);
    }
    return letters.length;
  }

  async purge(id?: string): Promise<number> {
    const topics = new Set<string>();
    const filter = id === undefined ? `${this.#folder}+` : this.#topicOf(id);
    await this.#connection().readRetained(filter, ({ topic }) => topics.add(topic));
    for (const topic of topics) await this.#publish(topic, new Uint8Array());
    return topics.size;
  }

  /** Whether the topic is that of a dead letter of this queue. */
  owns(topic: string): boolean {
    return topic.startsWith(this.#folder);
  }

  /** Keeps a copy of a message; resolves when the broker has it. */
  async add(envelope: MessageEnvelope, reason: string, description: string): Promise<void> {
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
        time: new Date().toISOString(),
      },
    };
    const payload = encoder.encode(JSON.stringify(json));
    await this.#publish(this.#topicOf(envelope.messageId), payload);
  }

  get #folder(): string {
    return this.#folderOf();
  }

  async #remove(id: string): Promise<void> {
    await this.#publish(this.#topicOf(id), new Uint8Array());
  }

  async #read(): Promise<DeadLetter[]> {
    const letters: DeadLetter[] = [];
    await this.#connection().readRetained(`${this.#folder}+`, (delivery) => {
      letters.push(readDeadLetter(delivery, this.#folder));
    });
    return letters.sort((a, b) => a.time.getTime() - b.time.getTime());
  }

  #topicOf(id: string): string {
    return this.#folder + encodeURIComponent(id);
  }
}

/** Where the dead letters of a queue are: its name as levels, wildcards made harmless. */
export function deadLetterFolder(prefix: string, name: string): string {
  return `${prefix}/${name.replaceAll("+", "%2B").replaceAll("#", "%23")}/`;
}

/** Whoever may publish there may write anything, so what is no dead letter is shown as it is. */
function readDeadLetter({ topic, payload }: Delivery, folder: string): DeadLetter {
  const id = decodeId(topic.slice(folder.length));
  try {
    const json = JSON.parse(decoder.decode(payload)) as DeadLetterJson;
    const envelope = MessageEnvelope.fromJSON(json);
    const { reason, description, topic: origin, delivery_count, time } = json.dead_letter;
    envelope.topic = String(origin);
    envelope.deliveryCount = Number(delivery_count) || 0;
    return {
      id,
      envelope,
      reason: String(reason),
      description: String(description),
      topic: String(origin),
      deliveryCount: envelope.deliveryCount,
      time: validDate(time),
    };
  } catch {
    const envelope = new MessageEnvelope(null, topic, payload);
    envelope.topic = topic;
    const reason = "unreadable";
    const description = "Not written by this queue";
    return { id, envelope, reason, description, topic, deliveryCount: 0, time: new Date(0) };
  }
}

function decodeId(level: string): string {
  try {
    return decodeURIComponent(level);
  } catch {
    return level; // Not an id that this queue wrote.
  }
}

function validDate(text: string): Date {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? new Date(0) : date;
}
