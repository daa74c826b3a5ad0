import { Buffer } from "node:buffer";
import { mqttPacket } from "../deps.ts";
import { closeConnection } from "./close_connection.ts";

type Packet = mqttPacket.Packet;

/** How a fake broker answers a packet; what it returns is sent, bytes as they are. */
export type FakeReply = (packet: Packet) => (Packet | Uint8Array)[] | "close" | "silence";

/** A broker that does what a real one can't be made to do. */
export class FakeBroker implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections = new Set<Deno.Conn>();
  readonly #senders = new Map<Deno.Conn, (packet: Packet | Uint8Array) => Promise<void>>();
  readonly #work = new Set<Promise<void>>();
  readonly #reply: FakeReply;

  /** @param reply what it answers to each packet */
  constructor(reply: FakeReply) {
    this.#reply = reply;
    this.#track(this.#accept());
  }

  get url(): string {
    return `mqtt://127.0.0.1:${(this.#listener.addr as Deno.NetAddr).port}`;
  }

  /** How many clients are connected. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Sends something that nobody asked for to every client that has connected. */
  async send(packet: Packet | Uint8Array): Promise<void> {
    await Promise.all([...this.#senders.values()].map((send) => send(packet)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#connections) closeConnection(connection);
    await Promise.all(this.#work);
  }

  async #accept(): Promise<void> {
    for await (const connection of this.#listener) this.#track(this.#serve(connection));
  }

  async #serve(connection: Deno.Conn): Promise<void> {
    this.#connections.add(connection);
    let version = 4;
    const parser = mqttPacket.parser();
    const answers: Promise<unknown>[] = [];
    const send = async (packet: Packet | Uint8Array) => {
      const bytes = packet instanceof Uint8Array
        ? packet
        : mqttPacket.generate(packet, { protocolVersion: version });
      try {
        for (let sent = 0; sent < bytes.length;) {
          sent += await connection.write(bytes.subarray(sent));
        }
      } catch {
        // The client is gone.
      }
    };
    parser.on("packet", (packet: Packet) => {
      if (packet.cmd === "connect") version = packet.protocolVersion ?? 4;
      const reply = this.#reply(packet);
      if (reply === "silence") return;
      if (reply === "close") return closeConnection(connection);
      if (packet.cmd === "connect") this.#senders.set(connection, send);
      for (const each of reply) {
        const before = answers.at(-1);
        answers.push(before === undefined ? send(each) : before.then(() => send(each)));
      }
    });
    const buffer = new Uint8Array(65_536);
    try {
      for (;;) {
        const count = await connection.read(buffer);
        if (count === null) break;
        parser.parse(Buffer.from(buffer.slice(0, count)), { protocolVersion: version });
      }
    } catch {
      // The client is gone.
    }
    await Promise.all(answers);
    closeConnection(connection);
    this.#connections.delete(connection);
    this.#senders.delete(connection);
  }

  #track(work: Promise<void>): void {
    this.#work.add(work);
    work.finally(() => this.#work.delete(work));
  }
}
