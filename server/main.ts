import { setTimeout as sleep } from "node:timers/promises";
import { type BrokerChoice, QueueServer, redactUrl } from "./app.ts";
import { EmbeddedBroker } from "./broker.ts";
import { isLoopback, readSettings, type Settings, USAGE, UsageError } from "./settings.ts";

/** How long answers may take to end; who reads nothing would keep the server from it for ever. */
const GRACE_MS = 2000;
/** How long to wait before listening again. */
const RELISTEN_MS = 500;
const STOP_SIGNALS: Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT", "SIGBREAK"]
  : ["SIGINT", "SIGTERM"];

// Not `exitCode`: an answer that its client does not read would keep the process alive.
if (import.meta.main) Deno.exit(await runServer(Deno.args));

/**
 * Runs the server until it is told to stop.
 *
 * @returns the exit code: 0 stopped, 1 failed, 2 wrong usage
 */
export async function runServer(args: string[]): Promise<number> {
  try {
    const settings = readSettings(args, (name) => Deno.env.get(name));
    if (settings === null) {
      console.log(USAGE);
      return 0;
    }
    await using stack = new AsyncDisposableStack();
    const broker = await chooseBroker(settings, stack);
    const server = stack.use(createServer(settings, broker));
    await serve(settings, server);
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`${error.message}\n\n${USAGE}`);
      return 2;
    }
    console.error(error instanceof Error ? error.message : error);
    return 1;
  }
}

async function chooseBroker(
  settings: Settings,
  stack: AsyncDisposableStack,
): Promise<BrokerChoice> {
  const { brokerUrl } = settings;
  if (brokerUrl !== null) {
    console.log(`Broker: ${redactUrl(brokerUrl)}`);
    return { url: brokerUrl, embedded: false };
  }
  const broker = stack.use(await EmbeddedBroker.start());
  console.log(
    `No broker given: started the embedded one at ${broker.url}, WebSocket ${broker.webSocketUrl}`,
  );
  return { url: broker.url, embedded: true };
}

function createServer(settings: Settings, broker: BrokerChoice): QueueServer {
  try {
    return new QueueServer(settings, broker);
  } catch (error) {
    if (error instanceof Error) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

async function serve(settings: Settings, server: QueueServer): Promise<void> {
  const stop = Promise.withResolvers<void>();
  const listening = { http: listen(settings, server) };
  const { port } = listening.http.addr;
  serveOn(listening, { ...settings, port }, server, stop.promise);
  const onSignal = () => stop.resolve();
  for (const signal of STOP_SIGNALS) Deno.addSignalListener(signal, onSignal);
  try {
    tellAddress(settings, port);
    const started = server.start();
    await stop.promise;
    console.log("Stopping.");
    const ended = listening.http.shutdown();
    // The streams never end by themselves, and a shutdown waits for every answer.
    await Promise.all([started, server.close()]);
    await Promise.race([ended, sleep(GRACE_MS, undefined, { ref: false })]);
  } finally {
    for (const signal of STOP_SIGNALS) Deno.removeSignalListener(signal, onSignal);
  }
}

/** Listens again where it ended by itself, as it does without a file descriptor left. */
async function serveOn(
  listening: { http: Deno.HttpServer<Deno.NetAddr> },
  settings: Settings,
  server: QueueServer,
  stop: Promise<void>,
): Promise<void> {
  let stopped = false;
  stop.then(() => stopped = true);
  while (!stopped) {
    try {
      await listening.http.finished;
      return;
    } catch (error) {
      console.error(`Cannot take connections, trying again: ${error}`);
    }
    for (let again = false; !again && !stopped;) {
      await sleep(RELISTEN_MS, undefined, { ref: false });
      try {
        listening.http = listen(settings, server);
        again = true;
      } catch {
        // Still none left; it was said above.
      }
    }
  }
}

function listen({ host, port }: Settings, server: QueueServer): Deno.HttpServer<Deno.NetAddr> {
  try {
    return Deno.serve({ hostname: host, port, onListen: () => {} }, server.app.fetch);
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) {
      throw new Error(
        `Cannot listen on ${host}:${port}: the port is taken, choose another with --port`,
        { cause: error },
      );
    }
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`Cannot listen on ${host}:${port}: ${why}`, { cause: error });
  }
}

function tellAddress({ host, token, topic }: Settings, port: number): void {
  const name = host === "0.0.0.0" || host === "::" ? "localhost" : host;
  const url = `http://${name.includes(":") ? `[${name}]` : name}:${port}/`;
  console.log(`Queue "${topic}": open ${token === null ? url : `${url}?token=${token}`}`);
  if (!isLoopback(host)) console.log("Reachable from other machines, for whoever has the token.");
}
