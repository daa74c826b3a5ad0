import { Buffer } from "node:buffer";
import { mqttPacket } from "../deps.ts";

type Packet = mqttPacket.Packet;

/** How a fake broker answers a packet; what it returns is sent. */
export type FakeReply = (packet: Packet) => Packet[] | "close" | "silence";

/** A broker that does what a real one can't be made to do. */
export class FakeBroker implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections = new Set<Deno.Conn>();
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

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#connections) close(connection);
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
    parser.on("packet", (packet: Packet) => {
      if (packet.cmd === "connect") version = packet.protocolVersion ?? 4;
      const reply = this.#reply(packet);
      if (reply === "silence") return;
      if (reply === "close") return close(connection);
      for (const each of reply) {
        const bytes = mqttPacket.generate(each, { protocolVersion: version });
        answers.push(connection.write(bytes).catch(() => {})); // The client may be gone.
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
    close(connection);
    this.#connections.delete(connection);
  }

  #track(work: Promise<void>): void {
    this.#work.add(work);
    work.finally(() => this.#work.delete(work));
  }
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // It is closed already.
  }
}
