import type { Delivery } from "../../lib/connection.ts";

const encoder = new TextEncoder();

/** A message as the broker delivers it; only what matters to a test is given. */
export function delivery(
  payload: string | Uint8Array = "",
  given: Partial<Delivery> = {},
): Delivery {
  return {
    topic: "orders/new",
    payload: typeof payload === "string" ? encoder.encode(payload) : payload,
    qos: 1,
    retain: false,
    dup: false,
    packetId: 1,
    properties: {},
    ...given,
  };
}
