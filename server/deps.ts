// The only file of the server that names packages: whoever imports it by URL has no import map of ours.

export { Aedes } from "npm:aedes@1.2.0";
export { type Context, Hono, type MiddlewareHandler } from "npm:hono@4.13.19";
export { html, raw } from "npm:hono@4.13.19/html";
export { type HtmlEscapedString } from "npm:hono@4.13.19/utils/html";
export { default as htmxScript } from "npm:htmx.org@4.0.1/dist/htmx.min.js" with { type: "text" };
export { default as htmxSseScript } from "npm:htmx.org@4.0.1/dist/ext/hx-sse.min.js" with {
  type: "text",
};
