import type { ByteLink } from "./broker_stream.ts";

const READ_BYTES = 64 * 1024;
const MAX_UNSENT_BYTES = 1 << 20;
const UNSENT_CHECK_MS = 5;

/** A TCP connection as a byte link. */
export function tcpLink(connection: Deno.TcpConn): ByteLink {
  let closed = false;
  connection.setNoDelay(true);
  return {
    incoming: readAll(connection),
    async send(bytes) {
      for (let sent = 0; sent < bytes.byteLength;) {
        sent += await connection.write(bytes.subarray(sent));
      }
    },
    close() {
      if (closed) return;
      closed = true;
      connection.close();
    },
  };
}

/** A WebSocket that has been accepted as a byte link. [MQTT-6.0.0-1]: binary frames, whose borders mean nothing. */
export function webSocketLink(socket: WebSocket): ByteLink {
  socket.binaryType = "arraybuffer";
  const closed = Promise.withResolvers<void>();
  const opened = new Promise<void>((resolve) => {
    socket.addEventListener("open", () => resolve(), { once: true });
    closed.promise.then(resolve);
  });
  const incoming = new ReadableStream<Uint8Array>({
    start(controller) {
      socket.addEventListener("message", ({ data }) => {
        if (data instanceof ArrayBuffer) return controller.enqueue(new Uint8Array(data));
        controller.error(new TypeError("Cannot read a WebSocket frame: it is text, not binary"));
      });
      // An error is always followed by a close.
      socket.addEventListener("close", () => {
        closed.resolve();
        try {
          controller.close();
        } catch {
          // A text frame has ended the stream already.
        }
      }, { once: true });
    },
  });
  return {
    incoming,
    async send(bytes) {
      await opened;
      // A cast for the type only: Node's buffers are never shared ones.
      socket.send(bytes as Uint8Array<ArrayBuffer>);
      // A WebSocket has no event that says it takes more.
      while (socket.readyState === WebSocket.OPEN && socket.bufferedAmount > MAX_UNSENT_BYTES) {
        await pause(UNSENT_CHECK_MS, closed.promise);
      }
    },
    close() {
      if (socket.readyState < WebSocket.CLOSING) socket.close();
    },
  };
}

async function* readAll(connection: Deno.TcpConn): AsyncGenerator<Uint8Array> {
  for (;;) {
    // A new buffer each time: what was handed out is still being read.
    const buffer = new Uint8Array(READ_BYTES);
    let size: number | null;
    try {
      size = await connection.read(buffer);
    } catch {
      // Closed by this side or reset by the other: the end, either way.
      return;
    }
    if (size === null) return;
    yield buffer.subarray(0, size);
  }
}

async function pause(ms: number, closed: Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([promise, closed]);
  clearTimeout(timer);
}
