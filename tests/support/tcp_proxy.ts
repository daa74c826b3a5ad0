import { closeConnection } from "./close_connection.ts";

interface Link {
  client: Deno.Conn;
  broker: Deno.Conn;
}

/** A network that a test can break: everything between a client and a broker goes through it. */
export class TcpProxy implements AsyncDisposable {
  readonly #listener: Deno.TcpListener;
  readonly #targetPort: number;
  readonly #links = new Set<Link>();
  readonly #work = new Set<Promise<void>>();
  readonly #carrying = new Set<{ left: number; done: () => void }>();
  #refusing = false;
  #deaf = false;
  #fatalByte: number | null = null;
  #emptied: () => void = () => {};
  #mute = false;

  /** @param targetPort the broker's port on the loopback address */
  constructor(targetPort: number) {
    this.#targetPort = targetPort;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.#track(this.#accept());
  }

  /** Where clients connect to. */
  get url(): string {
    return `mqtt://127.0.0.1:${(this.#listener.addr as Deno.NetAddr).port}`;
  }

  /** How many links go through it now. */
  get links(): number {
    return this.#links.size;
  }

  /** Resolves when no link is left. */
  async empty(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#emptied = resolve;
    if (this.#links.size > 0) await promise;
  }

  /** Cuts every link when a client sends a packet that begins with this byte; it is lost. */
  cutAt(firstByte: number): void {
    this.#fatalByte = firstByte;
  }

  /** Cuts every link, both ways. */
  cut(): void {
    for (const { client, broker } of this.#links) {
      closeConnection(client);
      closeConnection(broker);
    }
  }

  /** Whether new links are cut at once. */
  refuse(refusing: boolean): void {
    this.#refusing = refusing;
  }

  /** Whether what clients send is swallowed while the broker is still heard. */
  swallow(deaf: boolean): void {
    this.#deaf = deaf;
  }

  /** Whether what the broker sends is swallowed while clients are still heard. */
  mute(mute: boolean): void {
    this.#mute = mute;
  }

  /** Resolves when clients have got so many bytes through to the broker from now on. */
  carried(bytes: number): Promise<void> {
    return new Promise((done) => this.#carrying.add({ left: bytes, done }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.cut();
    await Promise.all(this.#work);
  }

  async #accept(): Promise<void> {
    for await (const client of this.#listener) {
      if (this.#refusing) closeConnection(client);
      else this.#track(this.#join(client));
    }
  }

  async #join(client: Deno.TcpConn): Promise<void> {
    let broker: Deno.TcpConn;
    try {
      broker = await Deno.connect({ hostname: "127.0.0.1", port: this.#targetPort });
    } catch {
      closeConnection(client); // No broker: the client sees a link that ends.
      return;
    }
    client.setNoDelay(true);
    broker.setNoDelay(true);
    const link = { client, broker };
    this.#links.add(link);
    await Promise.all([
      this.#copy(client, broker, (chunk) => this.#takes(chunk), (count) => this.#carry(count)),
      this.#copy(broker, client, () => !this.#mute),
    ]);
    closeConnection(client);
    closeConnection(broker);
    this.#links.delete(link);
    if (this.#links.size === 0) this.#emptied();
  }

  #takes(chunk: Uint8Array): boolean {
    if (chunk[0] === this.#fatalByte) {
      this.#fatalByte = null;
      this.cut();
      return false;
    }
    return !this.#deaf;
  }

  #carry(count: number): void {
    for (const watch of this.#carrying) {
      watch.left -= count;
      if (watch.left > 0) continue;
      this.#carrying.delete(watch);
      watch.done();
    }
  }

  async #copy(
    from: Deno.Conn,
    to: Deno.Conn,
    passes: (chunk: Uint8Array) => boolean,
    onPassed: (count: number) => void = () => {},
  ): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      for (;;) {
        const count = await from.read(buffer);
        if (count === null) return await to.closeWrite(); // The other half may go on.
        if (!passes(buffer.subarray(0, count))) continue;
        for (let sent = 0; sent < count;) sent += await to.write(buffer.subarray(sent, count));
        onPassed(count);
      }
    } catch {
      // One side is gone; so is the link.
      closeConnection(from);
      closeConnection(to);
    }
  }

  #track(work: Promise<void>): void {
    this.#work.add(work);
    work.finally(() => this.#work.delete(work));
  }
}
