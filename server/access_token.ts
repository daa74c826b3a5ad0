import { createHash, timingSafeEqual } from "node:crypto";
import { type Context, html, type MiddlewareHandler } from "./deps.ts";
import { GuessLimit } from "./guess_limit.ts";
import { problem } from "./problem.ts";

const PUBLIC_PATHS = /^\/(?:static\/|mod\.ts$|lib\/|healthz$|readyz$)/;
const COOKIE_SECONDS = 30 * 24 * 3600;

/**
 * Lets in who has the token: from the URL once (`/?token=…`), from then on by a cookie, or with
 * `Authorization: Bearer …`. The cookie holds what the token hashes to, not the token.
 */
export function guardToken(token: string | null, guesses = new GuessLimit()): MiddlewareHandler {
  return async (c, next) => {
    if (token === null || PUBLIC_PATHS.test(c.req.path)) return await next();
    const name = cookieName(c);
    const session = digest(`session ${token}`).toString("base64url");
    const cookie = readCookie(c, name);
    const bearer = /^Bearer +(\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
    const query = c.req.method === "GET" && c.req.path === "/" ? c.req.query("token") : undefined;
    const address = addressOf(c);
    const wait = guesses.wait(address);
    if (wait > 0) {
      return problem(c, 429, "Too many wrong tokens came from this address, try later", {
        "retry-after": String(wait),
      });
    }
    if (isEqual(cookie, session) || isEqual(bearer, token)) return await next();
    if (isEqual(query, token)) {
      const secure = new URL(c.req.url).protocol === "https:" ? "; Secure" : "";
      c.header(
        "set-cookie",
        `${name}=${session}; Path=/; Max-Age=${COOKIE_SECONDS}; HttpOnly; SameSite=Strict${secure}`,
      );
      return c.html(welcomeView());
    }
    for (const guess of [cookie, bearer, query]) {
      if (guess !== undefined) guesses.count(address, digest(guess).toString("base64"));
    }
    c.header("www-authenticate", 'Bearer realm="MqttMessageQueue"');
    if (c.req.path === "/") return c.html(deniedView(), 401);
    return problem(c, 401, "Send the header Authorization: Bearer <token>");
  };
}

/** Where the request comes from, as the server tells it; empty where it was not asked over a network. */
function addressOf(c: Context): string {
  const { remoteAddr } = (c.env ?? {}) as Partial<Deno.ServeHandlerInfo<Deno.NetAddr>>;
  return remoteAddr?.hostname ?? "";
}

/** Cookies ignore ports: two servers on one host would overwrite each other's. */
function cookieName(c: Context): string {
  return `mqtt_queue_${new URL(c.req.url).port || "0"}`;
}

function readCookie(c: Context, name: string): string | undefined {
  return c.req.header("cookie")?.split(/; */)
    .find((part) => part.startsWith(`${name}=`))?.slice(name.length + 1);
}

function isEqual(given: string | undefined, expected: string): boolean {
  return given !== undefined && timingSafeEqual(digest(given), digest(expected));
}

function digest(text: string) {
  return createHash("sha256").update(text).digest();
}

/** A page rather than a redirect: a strict cookie is not sent along one that began on another site. */
function welcomeView() {
  return html`
    <!DOCTYPE html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta http-equiv="refresh" content="0; url=/">
        <title>MQTT terminal</title>
      </head>
      <body>
        <p><a href="/">Open the terminal</a></p>
      </body>
    </html>
  `;
}

function deniedView() {
  return html`
    <!DOCTYPE html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <title>Token needed</title>
      </head>
      <body>
        <h1>Token needed</h1>
        <p>Open this page once with <code>/?token=…</code>: the token is where the server was started.</p>
      </body>
    </html>
  `;
}
