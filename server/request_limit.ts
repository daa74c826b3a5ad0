import type { Context, MiddlewareHandler } from "./deps.ts";
import { problem } from "./problem.ts";

/** Answers at most so many requests at the same time; what streams counts until its first byte only. */
export function limitRequests(max: number): MiddlewareHandler {
  let running = 0;
  return async (c, next) => {
    if (running >= max) {
      return problem(c, 503, `${max} requests are being answered, try later`, {
        "retry-after": "1",
      });
    }
    running++;
    try {
      await next();
    } finally {
      running--;
    }
  };
}

/** Takes bodies of so many bytes at most that arrive within so many milliseconds. */
export function limitBodies(maxBytes: number, maxMs: number): MiddlewareHandler {
  return async (c, next) => {
    const { body } = c.req.raw;
    if (body === null) return await next();
    if (Number(c.req.header("content-length") ?? 0) > maxBytes) return await tooLarge(c, maxBytes);
    const reader = body.getReader();
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    let size = 0;
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      void reader.cancel().catch(() => {}); // It may have ended this moment.
    }, maxMs);
    try {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        size += value.length;
        if (size > maxBytes) {
          await reader.cancel();
          return problem(c, 413, `Send at most ${maxBytes} bytes`);
        }
        chunks.push(value);
      }
    } finally {
      clearTimeout(timer);
    }
    if (late) return problem(c, 408, `Send the whole request within ${maxMs} ms`);
    c.req.raw = new Request(c.req.raw, { body: new Blob(chunks) });
    await next();
  };
}

async function tooLarge(c: Context, maxBytes: number): Promise<Response> {
  await c.req.raw.body?.cancel();
  return problem(c, 413, `Send at most ${maxBytes} bytes`);
}
