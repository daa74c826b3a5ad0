import { MqttMessageQueue, type QueueOptions } from "../mod.ts";
import { guardToken } from "./access_token.ts";
import { apiRoutes } from "./api.ts";
import { assetRoutes } from "./assets.ts";
import { Hono } from "./deps.ts";
import { eventRoutes } from "./events.ts";
import { metricsText } from "./metrics.ts";
import { moduleRoutes } from "./module_sources.ts";
import { problem, problemOf } from "./problem.ts";
import { QueueKeeper } from "./queue_keeper.ts";
import { QueuePool } from "./queue_pool.ts";
import { limitBodies, limitRequests } from "./request_limit.ts";
import { guardHost, guardOrigin, secureHeaders } from "./security.ts";
import type { Settings } from "./settings.ts";
import { Terminals, type TerminalsOptions } from "./terminals.ts";
import { uiRoutes } from "./ui.ts";

const MAX_BODY_BYTES = 8 * 1024 * 1024;
/** Whoever sends slower than this takes a place from others. */
const BODY_MS = 30_000;
const MAX_REQUESTS = 256;

/** The broker that the server works with. */
export interface BrokerChoice {
  url: string;
  /** Whether it is the server's own. */
  embedded: boolean;
}

/** What a test may make shorter. */
export interface ServerLimits extends TerminalsOptions {
  /** How long a request may take to arrive. */
  bodyMs?: number;
}

/**
 * The server without its socket: the queue and everything that answers requests about it. `start`
 * begins to open the queue; `close` ends what streams and closes every queue.
 */
export class QueueServer implements AsyncDisposable {
  readonly app: Hono;
  readonly #keeper: QueueKeeper;
  readonly #pool: QueuePool;
  readonly #terminals: Terminals;

  /** @throws {TypeError} where the topic cannot be one */
  constructor(settings: Settings, broker: BrokerChoice, limits: ServerLimits = {}) {
    const { topic, qos, clientId, username, password } = settings;
    const options: QueueOptions = { url: broker.url, qos, autoSubscribe: true };
    if (username !== null) options.username = username;
    if (password !== null) options.password = password;
    const own = clientId === null ? options : { ...options, clientId };
    this.#keeper = new QueueKeeper(new MqttMessageQueue(topic, { ...own, topic }));
    this.#pool = new QueuePool(options);
    const facts = {
      brokerUrl: redactUrl(broker.url),
      embedded: broker.embedded,
      topic,
      qos,
    };
    this.#terminals = new Terminals(this.#keeper, this.#pool, facts, limits);
    this.app = this.#routes(settings, limits.bodyMs ?? BODY_MS);
  }

  /** Opens the queue, as often as it takes. Resolves when it is open for the first time, or closed before. */
  start(): Promise<void> {
    return this.#keeper.start();
  }

  /** Ends the streams, then closes the queues: what waits in them is told. Twice is harmless. */
  async close(): Promise<void> {
    await Promise.all([this.#terminals.close(), this.#keeper.close()]);
    await this.#pool.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #routes({ host, allowedHosts, token, topic }: Settings, bodyMs: number): Hono {
    const app = new Hono();
    app.use(secureHeaders());
    app.use(guardHost(host, allowedHosts));
    app.use(guardOrigin());
    app.use(guardToken(token));
    app.use(limitRequests(MAX_REQUESTS));
    app.use(limitBodies(MAX_BODY_BYTES, bodyMs));
    app.onError((error, c) => problemOf(c, error));
    app.notFound((c) => problem(c, 404, "Nothing is here"));

    const parts = { keeper: this.#keeper, topic, pool: this.#pool, terminals: this.#terminals };
    app.route("/", uiRoutes(this.#terminals));
    app.route("/", eventRoutes(this.#terminals));
    app.route("/", assetRoutes());
    app.route("/", moduleRoutes());
    app.route("/api", apiRoutes(parts));

    app.get("/healthz", (c) => c.json({ status: "ok" }));
    app.get("/readyz", (c) => {
      const { state } = this.#keeper.link;
      return c.json({ status: state }, state === "connected" ? 200 : 503);
    });
    app.get("/metrics", (c) => {
      const text = metricsText([this.#keeper, ...this.#pool.keepers], this.#terminals.streams);
      return c.body(text, 200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" });
    });
    return app;
  }
}

/** The URL without user name, password and query, where tokens stand. */
export function redactUrl(text: string): string {
  const url = new URL(text);
  url.username =
    url.password =
    url.search =
    url.hash =
      "";
  return url.pathname === "/" ? url.href.slice(0, -1) : url.href;
}
