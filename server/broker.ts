import { createBrokerEngine } from "./broker_engine.ts";
import { tcpLink, webSocketLink } from "./broker_links.ts";
import { BrokerStream, type ByteLink } from "./broker_stream.ts";
import type { Aedes } from "./deps.ts";

/** Where an {@linkcode EmbeddedBroker} listens. */
export interface EmbeddedBrokerOptions {
  /** Address. Whoever reaches it may read and write everything: there is no password. @default {"127.0.0.1"} */
  host?: string;
  /** TCP port; where it is taken, the next free one. 0: any. @default {1883} */
  port?: number;
  /** WebSocket port; where it is taken, the next free one. @default {9001, or 0 where `port` is 0} */
  webSocketPort?: number;
}

const PORTS_TO_TRY = 100;

/**
 * A small MQTT 3.1.1 broker inside this process, for whoever has none: TCP and WebSocket, QoS 0 to 2, retained
 * messages, durable sessions.
 *
 * - Everything stands in memory: it is gone when the process ends.
 * - A message is written to its subscribers before its sender gets the acknowledgement.
 * - MQTT 5 is refused with "unacceptable protocol version", and a shared subscription with a failure in the SUBACK.
 * - Browsers may connect from pages of this machine only: the `Origin` of a WebSocket is checked.
 */
export class EmbeddedBroker implements AsyncDisposable {
  readonly #aedes: Aedes;
  readonly #listener: Deno.TcpListener;
  readonly #webServer: Deno.HttpServer<Deno.NetAddr>;
  readonly #streams = new Set<BrokerStream>();
  readonly #accepting: Promise<void>;
  readonly #host: string;
  #closed: Promise<void> | null = null;

  /**
   * Starts a broker; it takes connections when this resolves.
   *
   * @throws {Deno.errors.AddrInUse} When no port was free
   */
  static async start(options: EmbeddedBrokerOptions = {}): Promise<EmbeddedBroker> {
    const { host = "127.0.0.1", port = 1883, webSocketPort = port === 0 ? 0 : 9001 } = options;
    const aedes = await createBrokerEngine();
    let listener: Deno.TcpListener | undefined;
    try {
      listener = onFreePort(port, (port) => Deno.listen({ hostname: host, port }));
      return new EmbeddedBroker(host, aedes, listener, webSocketPort);
    } catch (error) {
      listener?.close();
      aedes.close();
      throw error;
    }
  }

  private constructor(
    host: string,
    aedes: Aedes,
    listener: Deno.TcpListener,
    webSocketPort: number,
  ) {
    this.#host = host;
    this.#aedes = aedes;
    this.#webServer = onFreePort(webSocketPort, (port) =>
      Deno.serve({
        hostname: host,
        port,
        onListen: () => {},
        handler: (request) => this.#upgrade(request),
      }));
    this.#listener = listener;
    this.#accepting = this.#accept();
  }

  /** Ends every connection and stops listening. Sessions and retained messages are gone. Twice is harmless. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /** `mqtt://host:port`, for `connection.uri`. */
  get url(): string {
    return `mqtt://${urlHost(this.#host)}:${this.#listener.addr.port}`;
  }

  /** `ws://host:port`, for `connection.uri`. */
  get webSocketUrl(): string {
    return `ws://${urlHost(this.#host)}:${this.#webServer.addr.port}`;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#listener.close();
    await new Promise<void>((resolve) => this.#aedes.close(resolve));
    for (const stream of this.#streams) stream.destroy();
    await this.#accepting;
    await this.#webServer.shutdown();
  }

  async #accept(): Promise<void> {
    for await (const connection of this.#listener) this.#serve(tcpLink(connection));
  }

  #upgrade(request: Request): Response {
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
      return new Response("This is an MQTT broker: connect with a WebSocket.\n", { status: 426 });
    }
    if (!isOwnOrigin(request.headers.get("origin"), this.#host)) {
      return new Response("Pages of other hosts may not use this broker.\n", { status: 403 });
    }
    // [MQTT-6.0.0-3]: the sub-protocol is named "mqtt", and the server confirms it.
    const wanted = request.headers.get("sec-websocket-protocol")?.split(",").map((s) => s.trim());
    const protocol = wanted?.find((name) => name === "mqtt" || name === "mqttv3.1");
    const { socket, response } = Deno.upgradeWebSocket(request, protocol ? { protocol } : {});
    this.#serve(webSocketLink(socket));
    return response;
  }

  #serve(link: ByteLink): void {
    const stream = new BrokerStream(link);
    this.#streams.add(stream);
    stream.once("close", () => this.#streams.delete(stream));
    this.#aedes.handle(stream);
  }
}

function onFreePort<T>(port: number, listen: (port: number) => T): T {
  for (let offset = 0;; offset++) {
    try {
      return listen(port === 0 ? 0 : port + offset);
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse) || offset === PORTS_TO_TRY) throw error;
    }
  }
}

function isOwnOrigin(origin: string | null, host: string): boolean {
  if (origin === null) return true;
  if (!URL.canParse(origin)) return false;
  const { hostname } = new URL(origin);
  return ["localhost", "127.0.0.1", "[::1]", urlHost(host)].includes(hostname);
}

function urlHost(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
