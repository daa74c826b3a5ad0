import { createHash } from "node:crypto";
import { Hono, htmxScript, htmxSseScript } from "./deps.ts";
import appScript from "../static/app.js" with { type: "text" };
import controlStyles from "../static/controls.css" with { type: "text" };
import favicon from "../static/favicon.svg" with { type: "text" };
import inspectorStyles from "../static/inspector.css" with { type: "text" };
import panelStyles from "../static/panel.css" with { type: "text" };
import panelScript from "../static/panel.js" with { type: "text" };
import promptStyles from "../static/prompt.css" with { type: "text" };
import promptScript from "../static/prompt.js" with { type: "text" };
import savedScript from "../static/saved.js" with { type: "text" };
import scrollbackStyles from "../static/scrollback.css" with { type: "text" };
import scrollbackScript from "../static/scrollback.js" with { type: "text" };

import statusStyles from "../static/status.css" with { type: "text" };
import themeStyles from "../static/theme.css" with { type: "text" };

/** A file that the page loads from this server. */
export interface Asset {
  path: string;
  mediaType: string;
  text: string;
  /** For the `integrity` attribute and the content security policy. */
  integrity: string;
}

/** A script that the page loads from the CDN, and from here where the CDN cannot be reached. */
export interface CdnScript {
  url: string;
  local: Asset;
}

const CDN = "https://cdn.jsdelivr.net/npm/htmx.org@4.0.1/dist";
const JAVASCRIPT = "text/javascript";

/** One request for all of them; of two rules that weigh the same the later one wins. */
export const STYLE_SHEET = asset(
  "/static/app.css",
  "text/css",
  [
    themeStyles,
    statusStyles,
    scrollbackStyles,
    controlStyles,
    panelStyles,
    inspectorStyles,
    promptStyles,
  ].join("\n"),
);
export const FAVICON = asset("/static/favicon.svg", "image/svg+xml", favicon);
/** One request for all of them; each is a block of its own, so their names do not meet. */
export const APP_SCRIPT = asset(
  "/static/app.js",
  JAVASCRIPT,
  [promptScript, appScript, scrollbackScript, panelScript, savedScript]
    .map((text) => `{\n${text}}\n`).join(""),
);
export const CDN_SCRIPTS: readonly CdnScript[] = [
  {
    url: `${CDN}/htmx.min.js`,
    local: asset("/static/htmx.min.js", JAVASCRIPT, htmxScript),
  },
  {
    url: `${CDN}/ext/hx-sse.min.js`,
    local: asset("/static/hx-sse.min.js", JAVASCRIPT, htmxSseScript),
  },
];

/** The address of the asset, changed with each change of its bytes. */
export function assetUrl({ path, integrity }: Asset): string {
  return `${path}?v=${encodeURIComponent(integrity.slice(-12))}`;
}

/** The routes that serve the assets. */
export function assetRoutes(): Hono {
  const routes = new Hono();
  const local = CDN_SCRIPTS.map((script) => script.local);
  for (const { path, mediaType, text } of [STYLE_SHEET, FAVICON, APP_SCRIPT, ...local]) {
    routes.get(path, (c) =>
      c.body(text, 200, {
        "content-type": `${mediaType}; charset=utf-8`,
        "cache-control": c.req.query("v") === undefined
          ? "no-cache"
          : "public, max-age=31536000, immutable",
      }));
  }
  return routes;
}

function asset(path: string, mediaType: string, text: string): Asset {
  const digest = createHash("sha384").update(text).digest("base64");
  return { path, mediaType, text, integrity: `sha384-${digest}` };
}
