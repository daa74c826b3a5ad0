import {
  ConfigError,
  ConnectionError,
  LockLostError,
  NotSupportedError,
  QueueClosedError,
  QueueFullError,
  TimeoutError,
} from "../mod.ts";
import type { Context } from "./deps.ts";
import { PoolFullError } from "./queue_pool.ts";

type ProblemStatus =
  | 400
  | 401
  | 403
  | 404
  | 405
  | 408
  | 409
  | 413
  | 421
  | 429
  | 500
  | 501
  | 503
  | 504;

const TITLES: Record<ProblemStatus, string> = {
  400: "Bad request",
  401: "Token needed",
  403: "Forbidden",
  404: "Not found",
  405: "Method not allowed",
  408: "Request timeout",
  409: "Conflict",
  413: "Too large",
  421: "Misdirected request",
  429: "Too many requests",
  500: "Internal error",
  501: "Not supported by this broker",
  503: "Not available now",
  504: "Took too long",
};

/** An answer that tells what went wrong in the form of RFC 9457. */
export function problem(
  c: Context,
  status: ProblemStatus,
  detail: string,
  headers: Record<string, string> = {},
): Response {
  return c.body(JSON.stringify({ type: "about:blank", title: TITLES[status], status, detail }), {
    status,
    headers: { ...headers, "content-type": "application/problem+json" },
  });
}

/** The answer to an error that came out of the queue. */
export function problemOf(c: Context, error: unknown): Response {
  const status = statusOf(error);
  if (status === 500) {
    console.error(error);
    return problem(c, 500, "The server failed; its log tells more");
  }
  const detail = error instanceof Error ? error.message : String(error);
  return problem(c, status, detail, status === 503 ? { "retry-after": "1" } : {});
}

function statusOf(error: unknown): ProblemStatus {
  // Who went away in the middle of a request is nobody's failure.
  if (error instanceof Deno.errors.BadResource) return 400;
  if (error instanceof LockLostError) return 409;
  if (error instanceof NotSupportedError) return 501;
  if (error instanceof TimeoutError) return 504;
  if (error instanceof QueueClosedError || error instanceof QueueFullError) return 503;
  if (error instanceof ConnectionError || error instanceof PoolFullError) return 503;
  if (
    error instanceof ConfigError || error instanceof TypeError || error instanceof RangeError ||
    error instanceof SyntaxError
  ) {
    return 400;
  }
  return 500;
}
