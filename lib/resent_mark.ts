import type { Delivery, OutgoingMessage } from "./connection.ts";
import { fingerprint } from "./fingerprint.ts";

/** The user property, or the first key of the JSON form, that marks a message as sent again. */
export const RESENT = "resent";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const OPEN_BRACE = 0x7b;
const JSON_MARK = encoder.encode(`{"${RESENT}":true,`);
/** How the JSON form goes on behind its brace, or behind the mark. */
const JSON_ID = encoder.encode(`"message_id":"`);
const ID = /^"message_id":"((?:[^"\\]|\\.)*)"/;
/** A quote within a text is escaped, so this is the key. */
const TIME = /,"sent_time":"([^"]*)"/;
/** Within so many bytes the JSON form says both. */
const HEAD_BYTES = 1_024;

/** What of a message can be marked. */
export type Markable = Pick<OutgoingMessage, "payload" | "properties">;

/**
 * A message as it is sent on a second link, because the acknowledgement of the first may be lost:
 * marked, so that a receiver which has it already knows. At QoS 1 a broker takes it for a new one
 * ([MQTT-4.3.2-1]). `null` where there is no place for a mark: the bare form on 3.1.1.
 */
export function markResent({ payload, properties }: Markable, version: 4 | 5): Markable | null {
  if (version === 5) {
    const userProperties = { ...properties.userProperties, [RESENT]: "true" };
    return { payload, properties: { ...properties, userProperties } };
  }
  const start = idStart(payload);
  if (start === null || headOf(payload, start).time === null) return null;
  if (start > 1) return { payload, properties }; // It is marked already.
  const marked = new Uint8Array(JSON_MARK.byteLength + payload.byteLength - 1);
  marked.set(JSON_MARK);
  marked.set(payload.subarray(1), JSON_MARK.byteLength);
  return { payload: marked, properties };
}

/**
 * Whether its sender sent it again.
 *
 * @param readsJson whether a payload may be more than a body
 */
export function isResent({ payload, properties }: Delivery, readsJson: boolean): boolean {
  return properties.userProperties?.[RESENT] !== undefined || readsJson && idStart(payload)! > 1;
}

/**
 * What tells one sending of a message, and its repetition, from any other: the fingerprint of its id
 * and, where its sender said it, of the time. `null` without an id. Reads no more than the head of the
 * payload.
 *
 * @param readsJson whether a payload may be more than a body
 */
export function nameOf({ payload, properties }: Delivery, readsJson: boolean): number | null {
  const { message_id, sent_time } = properties.userProperties ?? {};
  if (message_id !== undefined) return named(message_id, sent_time);
  const start = readsJson ? idStart(payload) : null;
  if (start === null) return null;
  const { id, time } = headOf(payload, start);
  return id === null ? null : named(id, time ?? undefined);
}

/** One that came more than once has all its values. */
function named(id: string | string[], time: string | string[] | undefined): number {
  return fingerprint(time === undefined ? [`${id}`] : [`${id}`, `${time}`]);
}

/** The id and the time of sending in the JSON form. */
function headOf(payload: Uint8Array, start: number): { id: string | null; time: string | null } {
  const head = decoder.decode(payload.subarray(start, start + HEAD_BYTES));
  return { id: ID.exec(head)?.[1] ?? null, time: TIME.exec(head)?.[1] ?? null };
}

/** Where the id begins in the JSON form, `null` where it is none. */
function idStart(payload: Uint8Array): number | null {
  if (payload[0] !== OPEN_BRACE) return null;
  const start = startsWith(payload, JSON_MARK, 0) ? JSON_MARK.byteLength : 1;
  return startsWith(payload, JSON_ID, start) ? start : null;
}

function startsWith(bytes: Uint8Array, wanted: Uint8Array, from: number): boolean {
  for (let index = 0; index < wanted.byteLength; index++) {
    if (bytes[from + index] !== wanted[index]) return false;
  }
  return true;
}
