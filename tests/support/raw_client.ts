import { type IClientOptions, mqtt, type MqttClient } from "../deps.ts";

/** A bare MQTT client, the peer that knows nothing of the queue. */
export interface RawClient extends AsyncDisposable {
  readonly client: MqttClient;
}

/** A message as a bare client gets it. */
export interface RawMessage {
  topic: string;
  payload: Uint8Array & { toString(): string };
  qos: number;
  retain: boolean;
  properties: Record<string, unknown>;
}

/** Connects a bare client. */
export async function connectRaw(url: string, options: IClientOptions = {}): Promise<RawClient> {
  const client = await mqtt.connectAsync(url, { reconnectPeriod: 0, ...options });
  return {
    client,
    async [Symbol.asyncDispose]() {
      await client.endAsync();
    },
  };
}

/** The next message that a bare client gets. */
export function nextMessage(client: MqttClient): Promise<RawMessage> {
  return new Promise((resolve) => {
    client.once("message", (topic, payload, packet) => {
      const { qos, retain, properties = {} } = packet;
      resolve({ topic, payload, qos, retain, properties: { ...properties } });
    });
  });
}
