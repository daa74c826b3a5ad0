import type { MiddlewareHandler } from "./deps.ts";
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
