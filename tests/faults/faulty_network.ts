import { connect, createServer, type Server, type Socket } from "node:net";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";

/** A direction: what the client sends, or what the broker sends. */
export type Way = "up" | "down";

interface Condition {
  /** Taken from the sender and given to nobody. */
  swallows: boolean;
  /** Resolves when what waits goes on; `null` while nothing is held up. */
  stalled: PromiseWithResolvers<void> | null;
  delayMs: number;
  /** One byte, one packet of the network. */
  dribbles: boolean;
  /** The next bytes are cut in two, and the link is reset between the halves. */
  resets: boolean;
}

interface Link {
  client: Socket;
  broker: Socket;
}

/**
 * A network between some clients and a broker that can be broken in every way that networks break.
 *
 * - `stall` holds one direction up, as a lost route does until it is found again: what waited comes late.
 * - `swallow` takes what is sent and gives it to nobody. What comes after a gap is no MQTT, so `heal` cuts such links.
 * - `reset` ends links in the middle of a packet with a TCP RST, which no reader sees as an end of file.
 */
export class FaultyNetwork implements AsyncDisposable {
  readonly #server: Server;
  readonly #targetPort: number;
  readonly #links = new Set<Link>();
  readonly #work = new Set<Promise<void>>();
  readonly #conditions: Record<Way, Condition> = { up: wellBehaved(), down: wellBehaved() };
  #refusing = false;

  /** Resolves when it takes connections. @param targetPort the broker's port on the loopback address */
  static async start(targetPort: number): Promise<FaultyNetwork> {
    const network = new FaultyNetwork(targetPort);
    network.#server.listen(0, "127.0.0.1");
    await once(network.#server, "listening");
    return network;
  }

  private constructor(targetPort: number) {
    this.#targetPort = targetPort;
    this.#server = createServer((client) => this.#track(this.#join(client)));
  }

  /** Where clients connect to. */
  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** How many links go through it now. */
  get links(): number {
    return this.#links.size;
  }

  /** Cuts every link, both ways. */
  cut(): void {
    for (const { client, broker } of this.#links) {
      client.destroy();
      broker.destroy();
    }
  }

  /** New links are cut at once, until `heal`. */
  refuse(): void {
    this.#refusing = true;
  }

  /** Holds up what goes this way, until `heal`. */
  stall(way: Way): void {
    this.#conditions[way].stalled ??= Promise.withResolvers();
  }

  /** Loses what goes this way, until `heal`. */
  swallow(way: Way): void {
    this.#conditions[way].swallows = true;
  }

  /** Delays what goes either way, until `heal`. */
  delay(ms: number): void {
    for (const condition of Object.values(this.#conditions)) condition.delayMs = ms;
  }

  /** Sends one byte at a time either way, until `heal`. */
  dribble(): void {
    for (const condition of Object.values(this.#conditions)) condition.dribbles = true;
  }

  /** Resets the next link that sends something this way, in the middle of it. */
  reset(way: Way): void {
    this.#conditions[way].resets = true;
  }

  /** Everything goes through again. */
  heal(): void {
    this.#refusing = false;
    let gaps = false;
    for (const way of ["up", "down"] as const) {
      const { swallows, stalled } = this.#conditions[way];
      gaps ||= swallows;
      this.#conditions[way] = wellBehaved();
      stalled?.resolve();
    }
    if (gaps) this.cut();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.heal();
    this.cut();
    await Promise.all(this.#work);
    await closed;
  }

  async #join(client: Socket): Promise<void> {
    if (this.#refusing) {
      client.destroy();
      return;
    }
    const broker = connect({ host: "127.0.0.1", port: this.#targetPort, noDelay: true });
    client.setNoDelay(true);
    const link = { client, broker };
    this.#links.add(link);
    await Promise.all([this.#copy("up", link), this.#copy("down", link)]);
    this.#links.delete(link);
  }

  async #copy(way: Way, link: Link): Promise<void> {
    const [from, to] = way === "up" ? [link.client, link.broker] : [link.broker, link.client];
    from.on("error", () => {}); // The loop below sees it, or has ended.
    try {
      for await (const chunk of from) {
        await this.#conditions[way].stalled?.promise;
        const condition = this.#conditions[way];
        if (condition.swallows) continue;
        if (condition.delayMs > 0) await delay(condition.delayMs);
        if (condition.resets) {
          condition.resets = false;
          await write(to, chunk.subarray(0, Math.ceil(chunk.length / 2)));
          link.client.resetAndDestroy();
          link.broker.resetAndDestroy();
        } else if (condition.dribbles) {
          for (let at = 0; at < chunk.length; at++) {
            // Healed meanwhile: the rest need not dribble.
            const end = this.#conditions[way].dribbles ? at + 1 : chunk.length;
            await write(to, chunk.subarray(at, end));
            at = end - 1;
          }
        } else {
          await write(to, chunk);
        }
      }
    } catch {
      // One side is gone; so is the link.
    }
    from.destroy();
    to.destroy();
  }

  #track(work: Promise<void>): void {
    this.#work.add(work);
    work.finally(() => this.#work.delete(work));
  }
}

function wellBehaved(): Condition {
  return { swallows: false, stalled: null, delayMs: 0, dribbles: false, resets: false };
}

function write(to: Socket, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    to.write(bytes, (error) => error ? reject(error) : resolve());
  });
}
