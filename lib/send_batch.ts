import { BatchSendError, type SendFailure, toError } from "./errors.ts";
import type { MessageEnvelope } from "./message_envelope.ts";
import type { MessageSender } from "./message_sender.ts";

/**
 * Sends many without waiting for one before the next, as there is room.
 *
 * @param send sends one by way of `sender`
 * @throws {BatchSendError} naming each that failed
 */
export async function sendBatch(
  envelopes: Iterable<MessageEnvelope>,
  send: (envelope: MessageEnvelope) => Promise<void>,
  sender: MessageSender,
): Promise<void> {
  const failures: SendFailure[] = [];
  const sends: Promise<unknown>[] = [];
  let awaited = 0;
  for (const envelope of envelopes) {
    while (sender.isFull && awaited < sends.length) await sends[awaited++];
    const index = sends.length;
    const failed = (error: unknown) => failures.push({ index, envelope, error: toError(error) });
    sends.push(send(envelope).catch(failed));
  }
  await Promise.all(sends);
  if (failures.length > 0) throw new BatchSendError(failures, sends.length);
}
