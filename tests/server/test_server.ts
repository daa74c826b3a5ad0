import { QueueServer, type ServerLimits } from "../../server/app.ts";
import { EmbeddedBroker } from "../../server/broker.ts";
import { readSettings, type Settings } from "../../server/settings.ts";

/** What a test brings along. */
export interface TestServerParts {
  /** Another broker than the embedded one, which is then the test's own to close. */
  broker?: { url: string };
  limits?: ServerLimits;
}

/** The server's answers without a socket, on an embedded broker of its own. */
export class TestServer implements AsyncDisposable {
  readonly broker: { url: string };
  readonly server: QueueServer;

  readonly #own: EmbeddedBroker | null;

  /** Resolves when the queue is open; with another broker at once. */
  static async start(
    changes: Partial<Settings> = {},
    { broker, limits = {} }: TestServerParts = {},
  ): Promise<TestServer> {
    const own = broker === undefined ? await EmbeddedBroker.start({ port: 0 }) : null;
    const test = new TestServer(own, broker ?? own!, { ...defaultSettings(), ...changes }, limits);
    const started = test.server.start();
    if (own !== null) await started;
    return test;
  }

  private constructor(
    own: EmbeddedBroker | null,
    broker: { url: string },
    settings: Settings,
    limits: ServerLimits,
  ) {
    this.#own = own;
    this.broker = broker;
    this.server = new QueueServer(settings, { url: broker.url, embedded: own !== null }, limits);
  }

  async request(path: string, init?: RequestInit): Promise<Response> {
    return await this.server.app.request(path, init);
  }

  async get(path: string, headers: HeadersInit = {}): Promise<Response> {
    return await this.request(path, { headers });
  }

  /** Posts a value as JSON. */
  async post(path: string, value: unknown = {}, headers: HeadersInit = {}): Promise<Response> {
    return await this.request(path, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(value),
    });
  }

  /** Posts a form as a browser does, with htmx or without. */
  async submit(fields: Record<string, string>, headers: HeadersInit = {}): Promise<Response> {
    return await this.request("/command", {
      method: "POST",
      headers: { "sec-fetch-site": "same-origin", ...headers },
      body: new URLSearchParams(fields),
    });
  }

  /** The page as it is now. */
  async page(): Promise<string> {
    return await (await this.get("/")).text();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
    await this.#own?.close();
  }
}

/** The settings of a server that was told nothing. */
export function defaultSettings(): Settings {
  const settings = readSettings([], () => undefined);
  if (settings === null) throw new Error("Cannot use the settings: only the usage was asked for");
  return settings;
}
