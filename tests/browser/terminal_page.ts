import { CDN_SCRIPTS } from "../../server/assets.ts";
import type { Settings } from "../../server/settings.ts";
import { startChromium } from "../support/chromium.ts";
import type { Browser, BrowserContext, Page } from "./deps.ts";
import { countListeners } from "../server/feed_reader.ts";
import { TestServer, type TestServerParts } from "../server/test_server.ts";

const WAIT_MS = 20_000;

/**
 * What the browser gets when it asks the CDN: the real files, the extension late, all of it only when the page has
 * painted, all too late, or nothing.
 */
export type Cdn = "played" | "extension late" | "after paint" | "too late" | "unreachable";

/** One answer of the server. */
export interface ServerAnswer {
  path: string;
  status: number;
  /** What the browser said of where the request came from. */
  origin: string | null;
}

/** How a page is opened. */
export interface PageOptions {
  cdn?: Cdn;
  javaScriptEnabled?: boolean;
  width?: number;
  height?: number;
  theme?: "light" | "dark";
  path?: string;
}

/** What a test brings along. */
export interface TerminalBrowserParts extends TestServerParts {
  chromium?: Browser;
}

/** A browser on a server of its own. Whatever the page complains about is collected in `complaints`. */
export class TerminalBrowser implements AsyncDisposable {
  /** Errors of scripts and violations of the policy. */
  readonly complaints: string[] = [];
  /** Paths and foreign URLs of everything that was asked for. */
  readonly requests: string[] = [];
  /** What the server answered, as it saw it. */
  readonly answers: ServerAnswer[] = [];
  /** Told of each answer: the browser's own tools miss those to frames that it keeps in another process. */
  readonly #answered = new EventTarget();
  readonly #browser: Browser;
  readonly #ownsBrowser: boolean;
  readonly #contexts: BrowserContext[] = [];
  readonly #startServer: () => Promise<TestServer>;
  #server: TestServer;
  #http: Deno.HttpServer<Deno.NetAddr>;

  /**
   * @param chromium one that several share, and that outlives this; without it one is started
   * @param broker another than the embedded one
   */
  static async start(
    settings: Partial<Settings> = {},
    { chromium, broker, limits }: TerminalBrowserParts = {},
  ): Promise<TerminalBrowser> {
    const startServer = () => TestServer.start(settings, { broker, limits });
    const owns = chromium === undefined;
    const browser = chromium ?? await startChromium();
    return new TerminalBrowser(await startServer(), startServer, browser, owns);
  }

  private constructor(
    server: TestServer,
    startServer: () => Promise<TestServer>,
    browser: Browser,
    ownsBrowser: boolean,
  ) {
    this.#server = server;
    this.#startServer = startServer;
    this.#browser = browser;
    this.#ownsBrowser = ownsBrowser;
    this.#http = this.#serve(server, 0);
  }

  /** Opens the page in a context of its own; resolves when it listens to the feed, if it ever will. */
  async open(options: PageOptions = {}): Promise<Page> {
    const { javaScriptEnabled = true, width = 1280 } = options;
    const context = await this.#browser.newContext({
      javaScriptEnabled,
      viewport: { width, height: options.height ?? 740 },
      colorScheme: options.theme ?? "light",
    });
    this.#contexts.push(context);
    return await this.#load(await context.newPage(), options);
  }

  /** Opens the page in a second tab of the same person. */
  async openBeside(page: Page): Promise<Page> {
    return await this.#load(await page.context().newPage(), {});
  }

  /** Ends the server and starts it again where it was: it knows nothing of its former life. */
  async startAnew(): Promise<void> {
    const { port } = this.#http.addr;
    await this.#stop();
    this.#server = await this.#startServer();
    this.#http = this.#serve(this.#server, port);
  }

  /** Resolves with the next such answer of the server. */
  nextAnswer(matches: (answer: ServerAnswer) => boolean): Promise<ServerAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<ServerAnswer>();
    const ended = new AbortController();
    const late = setTimeout(() => {
      ended.abort();
      reject(new Error(`The server was not asked in ${WAIT_MS} ms`));
    }, WAIT_MS);
    this.#answered.addEventListener("answer", () => {
      const answer = this.answers.at(-1)!;
      if (!matches(answer)) return;
      clearTimeout(late);
      ended.abort();
      resolve(answer);
    }, { signal: ended.signal });
    return promise;
  }

  get server(): TestServer {
    return this.#server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#http.addr.port}/`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const context of this.#contexts) await context.close();
    if (this.#ownsBrowser) await this.#browser.close();
    await this.#stop();
  }

  #serve({ server }: TestServer, port: number): Deno.HttpServer<Deno.NetAddr> {
    return Deno.serve({ hostname: "127.0.0.1", port, onListen: () => {} }, async (request) => {
      const response = await server.app.fetch(request);
      const { pathname: path } = new URL(request.url);
      const { status } = response;
      this.answers.push({ path, status, origin: request.headers.get("origin") });
      this.#answered.dispatchEvent(new Event("answer"));
      return response;
    });
  }

  async #stop(): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
    await this.#http.shutdown();
  }

  async #load(page: Page, options: PageOptions): Promise<Page> {
    const { cdn = "unreachable", javaScriptEnabled = true, path = "" } = options;
    page.setDefaultTimeout(WAIT_MS);
    page.on("pageerror", (error) => this.complaints.push(error.message));
    page.on("console", (message) => {
      if (/Content Security Policy|integrity/.test(message.text())) {
        this.complaints.push(message.text());
      }
    });
    page.on("request", (request) => this.requests.push(request.url().replace(this.url, "/")));
    for (const { url, local } of CDN_SCRIPTS) {
      await page.route(url, async (route) => {
        if (cdn === "unreachable") return await route.abort();
        if (cdn === "too late") await page.waitForRequest(/static\/hx-sse/);
        if (cdn === "after paint") await firstPaint(page);
        if (cdn === "extension late" && local.path.includes("sse")) await initialized(page);
        await route.fulfill({
          body: local.text,
          contentType: "text/javascript",
          // Without this the browser cannot check the hash, and drops the script.
          headers: { "access-control-allow-origin": "*" },
        });
      });
    }
    const listening = javaScriptEnabled
      ? page.waitForResponse((response) => response.url().includes("/events?"))
      : null;
    await page.goto(this.url + path, { waitUntil: "domcontentloaded" });
    await listening;
    return page;
  }
}

/** When the first text was painted, in ms since the navigation began; waits for it. */
export async function firstPaint(page: Page): Promise<number> {
  return await page.evaluate<number>(
    `new Promise((resolve) => new PerformanceObserver((list) => {
      const [paint] = list.getEntriesByName("first-contentful-paint");
      if (paint) resolve(paint.startTime);
    }).observe({ type: "paint", buffered: true }))`,
  );
}

/** Hides the page or shows it again, as the browser does when another tab is chosen. */
export async function setHidden(page: Page, hidden: boolean): Promise<void> {
  await page.evaluate(
    `Object.defineProperty(document, "hidden", { value: ${hidden}, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));`,
  );
}

/** Resolves when so many pages listen. */
export async function seeListeners({ url }: TerminalBrowser, count: number): Promise<void> {
  const late = Date.now() + WAIT_MS;
  while (await countListeners(url) !== count) {
    if (Date.now() > late) throw new Error(`There are not ${count} pages that listen`);
    await new Promise((resolve) => setTimeout(resolve, 20)); // The server does not tell by itself.
  }
}

/** Resolves when htmx has looked through the page. */
async function initialized(page: Page): Promise<void> {
  await page.locator("[data-htmx-powered]").first().waitFor({ state: "attached" });
}

/** Types a line into the prompt and sends it off. */
export async function typeLine(page: Page, line: string): Promise<void> {
  await page.locator("#line").fill(line);
  await page.locator("#line").press("Enter");
}

/** Resolves when the text stands in the scrollback. */
export async function seeInLog(page: Page, text: string): Promise<void> {
  await page.locator("#log > *").filter({ hasText: text }).first().waitFor();
}

/** Resolves when the figure in the status bar has this value. */
export async function seeFigure(page: Page, name: string, value: string): Promise<void> {
  const figures = page.locator(".numbers > div").filter({ hasText: name });
  await figures.filter({ has: page.locator("dd", { hasText: new RegExp(`^${value}$`) }) })
    .waitFor();
}
