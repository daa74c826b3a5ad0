import { MqttMessageQueue, type QueueOptions } from "../mod.ts";
import { guardToken } from "./access_token.ts";
import { apiRoutes } from "./api.ts";
import { assetRoutes } from "./assets.ts";
import { bodyLimit, Hono } from "./deps.ts";
import { eventRoutes } from "./events.ts";
import { metricsText } from "./metrics.ts";
import { moduleRoutes } from "./module_sources.ts";
import { problem, problemOf } from "./problem.ts";
import { QueueKeeper } from "./queue_keeper.ts";
import { QueuePool } from "./queue_pool.ts";
import { limitRequests } from "./request_limit.ts";
import { guardHost, guardOrigin, secureHeaders } from "./security.ts";
import type { Settings } from "./settings.ts";
import { Terminal } from "./terminal.ts";
import { uiRoutes } from "./ui.ts";

const MAX_BODY_BYTES = 8 * 1024 * 1024;
const MAX_REQUESTS = 256;

/** The broker that the server works with. */
export interface BrokerChoice {
  url: string;
  /** Whether it is the server's own. */
  embedded: boolean;
}

/**
 * The server without its socket: the queue and everything that answers requests about it. `start`
 * begins to open the queue; `close` ends what streams and closes every queue.
 */
export class QueueServer implements AsyncDisposable {
  readonly app: Hono;
  readonly #keeper: QueueKeeper;
  readonly #pool: QueuePool;
  readonly #terminal: Terminal;

  /** @throws {TypeError} where the topic cannot be one */
  constructor(settings: Settings, broker: BrokerChoice) {
    const { topic, qos, clientId, username, password } = settings;
    const options: QueueOptions = { url: broker.url, qos, autoSubscribe: true };
    if (username !== null) options.username = username;
    if (password !== null) options.password = password;
    const own = clientId === null ? options : { ...options, clientId };
    this.#keeper = new QueueKeeper(new MqttMessageQueue(topic, { ...own, topic }));
    this.#pool = new QueuePool(options);
    this.#terminal = new Terminal(this.#keeper, {
      brokerUrl: redactUrl(broker.url),
      embedded: broker.embedded,
      topic,
      qos,
    });
    this.app = this.#routes(settings);
  }

  /** Opens the queue, as often as it takes. Resolves when it is open for the first time, or closed before. */
  start(): Promise<void> {
    return this.#keeper.start();
  }

  /** Ends the streams, then closes the queues: what waits in them is told. Twice is harmless. */
  async close(): Promise<void> {
    this.#terminal.close();
    await Promise.all([this.#keeper.close(), this.#pool.close()]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #routes({ host, allowedHosts, token, topic }: Settings): Hono {
    const app = new Hono();
    app.use(secureHeaders());
    app.use(guardHost(host, allowedHosts));
    app.use(guardOrigin());
    app.use(guardToken(token));
    app.use(limitRequests(MAX_REQUESTS));
    app.use(bodyLimit({
      maxSize: MAX_BODY_BYTES,
      onError: (c) => problem(c, 413, `Send at most ${MAX_BODY_BYTES} bytes`),
    }));
    app.onError((error, c) => problemOf(c, error));
    app.notFound((c) => problem(c, 404, "Nothing is here"));

    const parts = { keeper: this.#keeper, topic, pool: this.#pool, terminal: this.#terminal };
    app.route("/", uiRoutes(this.#terminal, topic));
    app.route("/", eventRoutes(this.#terminal.live));
    app.route("/", assetRoutes());
    app.route("/", moduleRoutes());
    app.route("/api", apiRoutes(parts));

    app.get("/healthz", (c) => c.json({ status: "ok" }));
    app.get("/readyz", (c) => {
      const { state } = this.#keeper.link;
      return c.json({ status: state }, state === "connected" ? 200 : 503);
    });
    app.get("/metrics", (c) => {
      const text = metricsText([this.#keeper, ...this.#pool.keepers], this.#terminal.live.streams);
      return c.body(text, 200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" });
    });
    return app;
  }
}

/** The URL without user name and password. */
export function redactUrl(text: string): string {
  const url = new URL(text);
  url.username = url.password = "";
  return url.href.replace(/\/$/, "");
}
