import { ConnectionError, NotSupportedError, TimeoutError, toError } from "./errors.ts";
import { publicUrl } from "./public_url.ts";

/** SUBACK reason codes for what a broker cannot do ([MQTT-3.9.3]). */
const NOT_SUPPORTED: Record<number, string> = {
  158: "shared subscriptions",
  161: "subscription identifiers",
  162: "wildcards",
};

/** What was under way on a link when it failed. */
export type LinkAction = "connect to" | "keep the link to";

/** What a link that failed tells of itself. */
export interface FailedLink {
  url: string;
  /** Milliseconds. */
  connectTimeout: number;
}

/** What MQTT.js or the transport reports, in our words. */
export function explainFailure(
  error: Error & { code?: unknown; errors?: Error[] },
  action: LinkAction,
  { url, connectTimeout }: FailedLink,
): Error {
  if (error.message === "connack timeout") {
    const message = `Cannot connect to ${publicUrl(url)}: no answer within ${connectTimeout} ms`;
    return new TimeoutError(message, connectTimeout, { cause: error });
  }
  const reasonCode = typeof error.code === "number" ? error.code : null;
  const why = error.message || error.errors?.[0]?.message || String(error.code);
  return new ConnectionError(`Cannot ${action} ${url}: ${why}`, url, reasonCode, { cause: error });
}

/** The broker sent a DISCONNECT. */
export function disconnected(reasonCode: number, url: string): ConnectionError {
  const message = `Cannot keep the link to ${url}: the broker ended it, reason code ${reasonCode}`;
  return new ConnectionError(message, url, reasonCode);
}

/**
 * The link was closed, and nobody said why.
 *
 * @param rivalled the client id where it happens again and again: not every broker tells a takeover,
 * and two that throw each other out lose link after link
 */
export function closedWithoutReason(
  action: LinkAction,
  url: string,
  rivalled: string | null,
): ConnectionError {
  const hint = rivalled === null
    ? ""
    : ` again: does another client use the client id "${rivalled}"?`;
  const message = `Cannot ${action} ${url}: the broker closed it without a reason${hint}`;
  return new ConnectionError(message, url, null);
}

/** What a broker that refuses a subscription means. */
export function refusedSubscription(filter: string, url: string, thrown: unknown): Error {
  const granted = (thrown as { packet?: { granted?: number[] } }).packet?.granted?.[0] ?? null;
  const missing = granted === null ? undefined : NOT_SUPPORTED[granted];
  const message = `Cannot subscribe to "${filter}": `;
  if (missing !== undefined) {
    return new NotSupportedError(`${message}the broker has no ${missing}`, { cause: thrown });
  }
  const why = message + toError(thrown).message;
  return new ConnectionError(why, url, granted, { cause: thrown });
}
