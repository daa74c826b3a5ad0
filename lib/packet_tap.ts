import type { IStream } from "./deps.ts";
import { toError } from "./errors.ts";
import { PacketBatch } from "./packet_batch.ts";
import { PacketReader } from "./packet_reader.ts";
import { PacketType } from "./publish_packet.ts";

/** What a tap takes out. */
export interface TapHandlers {
  /** A transport is made: what is written to it goes out in one order with what MQTT.js writes. */
  onTransport(packets: PacketBatch): void;
  /** Something came. */
  onChunk(): void;
  /** A PUBLISH or an acknowledgement; where this throws, nothing behind it can be read. */
  onPacket(type: number, flags: number, body: Uint8Array): void;
}

/**
 * Takes messages and their acknowledgements out of what a transport reads, and adds ours to what
 * MQTT.js writes; it gets all the rest, in the order in which it came. It reads by `pipe` alone, and
 * writes by `write`. Behind a packet that cannot be read nothing is.
 */
export function tapPackets(stream: IStream, version: 4 | 5, handlers: TapHandlers): IStream {
  const { write } = stream;
  const batch = new PacketBatch(version, (bytes) => write.call(stream, bytes));
  stream.write = (...given: unknown[]): boolean => {
    batch.flush();
    return Reflect.apply(write, stream, given);
  };
  stream.on("drain", () => batch.drained());
  handlers.onTransport(batch);
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
