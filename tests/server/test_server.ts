import { QueueServer } from "../../server/app.ts";
import { EmbeddedBroker } from "../../server/broker.ts";
import { readSettings, type Settings } from "../../server/settings.ts";

/** The server's answers without a socket, on an embedded broker of its own. */
export class TestServer implements AsyncDisposable {
  readonly broker: EmbeddedBroker;
  readonly server: QueueServer;

  /** Resolves when the queue is open. */
  static async start(changes: Partial<Settings> = {}): Promise<TestServer> {
    const broker = await EmbeddedBroker.start({ port: 0 });
    const test = new TestServer(broker, { ...defaultSettings(), ...changes });
    await test.server.start();
    return test;
  }

  private constructor(broker: EmbeddedBroker, settings: Settings) {
    this.broker = broker;
    this.server = new QueueServer(settings, { url: broker.url, embedded: true });
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
    await this.broker.close();
  }
}

/** The settings of a server that was told nothing. */
export function defaultSettings(): Settings {
  const settings = readSettings([], () => undefined);
  if (settings === null) throw new Error("Cannot use the settings: only the usage was asked for");
  return settings;
}
