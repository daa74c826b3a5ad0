import type { OutgoingMessage } from "./connection.ts";

const encoder = new TextEncoder();

/** The bytes of the PUBLISH packet ([MQTT-3.3]) at QoS 1 or 2. */
export function packetSize(
  { topic, payload, properties }: Pick<OutgoingMessage, "topic" | "payload" | "properties">,
  version: 4 | 5,
): number {
  const text = (value: string) => 2 + encoder.encode(value).byteLength;
  let rest = text(topic) + 2 + payload.byteLength;
  if (version === 5) {
    let size = 0;
    if (properties.contentType !== undefined) size += 1 + text(properties.contentType);
    if (properties.correlationData !== undefined) size += 3 + properties.correlationData.byteLength;
    if (properties.messageExpiryInterval !== undefined) size += 5;
    for (const [key, value] of Object.entries(properties.userProperties ?? {})) {
      for (const one of [value].flat()) size += 1 + text(key) + text(one);
    }
    rest += lengthBytes(size) + size;
  }
  return 1 + lengthBytes(rest) + rest;
}

/** The bytes that a length takes ([MQTT-1.5.5]). */
function lengthBytes(length: number): number {
  return length < 128 ? 1 : length < 16_384 ? 2 : length < 2_097_152 ? 3 : 4;
}
