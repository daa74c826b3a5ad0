import { APP_SCRIPT, assetUrl, CDN_SCRIPTS, FAVICON, STYLE_SHEET } from "./assets.ts";
import { html, raw } from "./deps.ts";
import type { Html } from "./live_feed.ts";
import type { Terminal } from "./terminal.ts";
import { visibleLine } from "./visible_text.ts";

/** What each button runs, and what a person who hovers over it is told. */
const BUTTONS = [
  ["receive", "Take the oldest message off the queue"],
  ["peek 10", "Look at the next ten messages and leave them where they are"],
  ["count", "How many messages are ready"],
  ["status", "The link, the broker and the counters"],
  ["clear", "Empty the scrollback; messages stay"],
  ["help", "All commands"],
] as const;

const HTMX_CONFIG = { history: false, includeIndicatorCSS: false, extensions: "sse" };
/** htmx does not retry the first connection by itself, and would swap in the body of an error. */
const STREAM = raw(
  'hx-trigger="load, every 1s" hx-sync="this:drop" hx-swap="none" ' +
    `hx-config='{"sse":{"reconnectMaxDelay":5000}}'`,
);
const COMMAND_FORM = raw(
  'method="post" action="/command" hx-post="/command" hx-swap="none" hx-sync="this:queue all"',
);

/** The page: status bar, scrollback, toolbar, prompt. Whole without a script. */
export function pageView(terminal: Terminal, topic: string): Html {
  return html`
    <!DOCTYPE html>
    <html lang="en">
      <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, interactive-widget=resizes-content">
            <meta name="color-scheme" content="light dark">
            <meta name="htmx-config" content="${JSON.stringify(HTMX_CONFIG)}">
            <title>${visibleLine(topic, 60)} – MQTT terminal</title>
            <link rel="icon" href="${FAVICON.path}" type="image/svg+xml">
            <link rel="stylesheet" href="${assetUrl(STYLE_SHEET)}">
            ${scripts()}
          </head>
      <body>
        <a class="skip" href="#line">Skip to the prompt</a>
        <header id="status" aria-label="Status">${terminal.status()}</header>
        <main id="scroll" tabindex="0" aria-label="Scrollback">
          <div id="log" role="log" aria-label="Terminal" hx-ignore>${terminal.live.recent()}</div>
        </main>
        <footer>
              <button id="newer" type="button" hidden></button>
              <p id="trouble" role="alert"></p>
              <div class="tools">${composer()} ${toolbar()}</div>
          ${prompt(terminal)}
            </footer>
        <p id="announcement" class="unseen" role="status"></p>
        <div hx-sse:connect="/events?after=${terminal.live.position}" ${STREAM}></div>
      </body>
    </html>
  `;
}

/** Ours first: it waits for the others to fail. None of them holds up the first paint. */
function scripts(): Html {
  const [htmx, sse] = CDN_SCRIPTS.map(({ url, local }) =>
    html`
      <script defer src="${url}" integrity="${local.integrity}" crossorigin="anonymous"
        data-local="${assetUrl(local)}"></script>
    `
  );
  return html`
    <script type="module" src="${assetUrl(APP_SCRIPT)}" integrity="${APP_SCRIPT
      .integrity}"></script>
    ${htmx} ${sse}
  `;
}

function toolbar(): Html {
  return html`
    <form class="toolbar" ${COMMAND_FORM} aria-label="Commands">
      ${BUTTONS.map(([line, title]) =>
        html`
          <button name="line" value="${line}" title="${title}">${line}</button>
        `
      )}
    </form>
  `;
}

/** Everything that `send` takes, for text of more than one line and for fingers. */
function composer(): Html {
  return html`
    <details class="composer">
      <summary title="Write a message with its type and correlation id">send…</summary>
      <form ${COMMAND_FORM} aria-label="Send a message">
        <label class="field">
          <span>type</span>
          <input name="type" autocomplete="off" autocapitalize="off" spellcheck="false">
        </label>
        <label class="field">
          <span>correlation id</span>
          <input name="correlationId" autocomplete="off" autocapitalize="off" spellcheck="false">
        </label>
        <label class="field wide">
          <span>message</span>
          <textarea name="message" rows="3" required spellcheck="false"></textarea>
        </label>
        <button class="primary">send</button>
      </form>
    </details>
  `;
}

function prompt(terminal: Terminal): Html {
  return html`
    <form class="prompt" ${COMMAND_FORM} aria-label="Prompt">
      <label for="line"><span aria-hidden="true">❯</span><span class="unseen">Command</span></label>
      <input id="line" name="line" data-commands="${terminal.vocabulary}" placeholder="send hello"
        autocomplete="off" autocapitalize="off" autocorrect="off" spellcheck="false"
        enterkeyhint="send" maxlength="65536" autofocus>
      <button class="primary">run</button>
    </form>
  `;
}
