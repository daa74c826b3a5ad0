import { MessageEnvelope, MqttMessageQueue, type QueueOptions } from "../../mod.ts";
import type { ContractBroker, ContractSetting } from "./queue_contract.ts";

/** What a contract test gets: its own broker, and queues on it. */
export interface ContractCase {
  broker: ContractBroker;
  /** An open queue on the topic `contract`, subscribed; close it with `await using`. */
  open(options?: QueueOptions, topic?: string): Promise<MqttMessageQueue>;
  /** A message with this body. */
  text(body: string): MessageEnvelope;
  /** The bodies of messages. */
  bodies(envelopes: MessageEnvelope[]): (string | null)[];
}

/** A test that has a broker to itself. */
export function contractTest(
  { name, start, protocolVersion }: ContractSetting,
  what: string,
  run: (test: ContractCase) => Promise<void>,
): void {
  Deno.test(`${what} (${name})`, async () => {
    await using broker = await start();
    await run({
      broker,
      async open(options = {}, topic = "contract") {
        const queue = new MqttMessageQueue(topic, {
          url: broker.url,
          protocolVersion,
          autoSubscribe: true,
          ...options,
        });
        await queue.open("123");
        return queue;
      },
      text: (body) => new MessageEnvelope("123", "mymessage", body),
      bodies: (envelopes) => envelopes.map((envelope) => envelope.getMessageAsString()),
    });
  });
}
