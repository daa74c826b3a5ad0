import type { IStream } from "./deps.ts";
import { toError } from "./errors.ts";
import { PacketReader } from "./packet_reader.ts";
import { PacketType } from "./publish_packet.ts";

/** What a tap takes out. */
export interface TapHandlers {
  /** Something came. */
  onChunk(): void;
  /** A PUBLISH or an acknowledgement; where this throws, nothing behind it can be read. */
  onPacket(type: number, flags: number, body: Uint8Array): void;
}

/**
 * Takes messages and their acknowledgements out of what a transport reads; MQTT.js gets all the
 * rest, in the order in which it came. It reads by `pipe` alone. Behind a packet that cannot be read
 * nothing is.
 */
export function tapPackets(stream: IStream, handlers: TapHandlers): IStream {
  stream.pipe = (rest) => {
    const reader = new PacketReader(Object.values(PacketType), {
      onPacket: (type, flags, body) => handlers.onPacket(type, flags, body),
      onOther: (packet) => {
        rest.write(packet);
        if (stream.destroyed) reader.stop(); // MQTT.js could not read it, or would not go on.
      },
    });
    stream.on("data", (chunk: Uint8Array) => {
      handlers.onChunk();
      try {
        // A Buffer's `slice` is no copy.
        reader.read(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
      } catch (thrown) {
        const error = toError(thrown) as Error & { code?: string };
        error.code ??= error.name; // MQTT.js tells errors that have a code, and swallows others.
        stream.destroy(error);
      }
    });
    stream.once("end", () => void rest.end());
    return rest;
  };
  return stream;
}
