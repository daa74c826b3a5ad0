import { APP_SCRIPT, CDN_SCRIPTS, FAVICON, STYLE_SHEET } from "./assets.ts";
import type { Context, MiddlewareHandler } from "./deps.ts";
import { problem } from "./problem.ts";
import { isLoopback } from "./settings.ts";

const SAFE_METHODS = ["GET", "HEAD"];
/** Pages of other sites may lead here; everything else is asked for by our own page alone. */
const OPEN_PATHS = /^\/(?:$|static\/|mod\.ts$|lib\/|healthz$|readyz$)/;

/**
 * Answers only who asks for this server by a name that is its own. A page of a stranger can make its
 * own name point here (DNS rebinding) and would then be of our origin; it cannot do so with an address.
 */
export function guardHost(listening: string, allowed: readonly string[]): MiddlewareHandler {
  return async (c, next) => {
    const name = hostName(requestHost(c));
    const own = name !== null && (isLoopback(name) || name === listening.toLowerCase() ||
      allowed.some((host) => host.toLowerCase() === name) ||
      (!isLoopback(listening) && isAddress(name)));
    if (own) return await next();
    return problem(
      c,
      421,
      `Cannot answer for this host: start the server with --allow-host NAME to serve it, received "${
        name ?? ""
      }"`,
    );
  };
}

/**
 * Lets only this server's own page change something, and only it read the live data.
 *
 * Browsers say where a request comes from in `Sec-Fetch-Site`; over plain HTTP to other machines they
 * leave it out, and then `Origin`, which they send with every change, must be ours. What has neither
 * header is no browser: `curl` and its like may.
 */
export function guardOrigin(): MiddlewareHandler {
  return async (c, next) => {
    const safe = SAFE_METHODS.includes(c.req.method);
    if ((safe && OPEN_PATHS.test(c.req.path)) || isSameOrigin(c, safe)) return await next();
    return problem(c, 403, "Cannot do this for another site's page: open the terminal itself");
  };
}

/** Headers that tell the browser what our answers may do: nothing but what the page needs. */
export function secureHeaders(): MiddlewareHandler {
  return async (c, next) => {
    await next();
    const { headers } = c.res;
    const defaults = {
      "content-security-policy": headers.get("content-type")?.startsWith("text/html")
        ? contentSecurityPolicy(requestOrigin(c))
        : "default-src 'none'; frame-ancestors 'none'",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
      "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
      // Without a referrer policy that names the origin, forms would send `Origin: null`.
      "referrer-policy": "same-origin",
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "cache-control": "no-store",
    };
    for (const [name, value] of Object.entries(defaults)) {
      if (!headers.has(name)) headers.set(name, value);
    }
  };
}

/** The policy of the page: the scripts by hash, and by address for browsers that cannot match those. */
export function contentSecurityPolicy(origin: string): string {
  const own = [APP_SCRIPT, ...CDN_SCRIPTS.map(({ local }) => local)];
  const scripts = [
    ...own.map(({ integrity }) => `'${integrity}'`),
    ...CDN_SCRIPTS.map(({ url }) => url),
    ...own.map(({ path }) => origin + path),
  ];
  return [
    "default-src 'none'",
    `script-src ${scripts.join(" ")}`,
    `style-src ${origin}${STYLE_SHEET.path}`,
    `img-src ${origin}${FAVICON.path}`,
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

function isSameOrigin(c: Context, safe: boolean): boolean {
  const site = c.req.header("sec-fetch-site");
  if (site !== undefined) return site === "same-origin" || (safe && site === "none");
  const origin = c.req.header("origin");
  return origin === undefined || URL.parse(origin)?.host === requestHost(c).toLowerCase();
}

function requestOrigin(c: Context): string {
  return `${new URL(c.req.url).protocol}//${requestHost(c)}`;
}

function requestHost(c: Context): string {
  return c.req.header("host") ?? new URL(c.req.url).host;
}

/** The name without the port, or `null` where the header is not one. */
function hostName(host: string): string | null {
  if (!/^[\w.:[\]-]+$/.test(host)) return null;
  return URL.parse(`http://${host}`)?.hostname.replace(/\.$/, "") ?? null;
}

function isAddress(name: string): boolean {
  return name.startsWith("[") || /^\d+\.\d+\.\d+\.\d+$/.test(name);
}
