import { APP_SCRIPT, assetUrl, CDN_SCRIPTS, FAVICON, STYLE_SHEET } from "./assets.ts";
import { html, raw } from "./deps.ts";
import type { Html } from "./live_feed.ts";
import { VOCABULARY } from "./commands.ts";
import { COMMAND_FORM } from "./panel_parts.ts";
import type { Terminal } from "./terminal.ts";
import { visibleLine } from "./visible_text.ts";

/** What each button runs, and what a person who hovers over it is told. */
const BUTTONS = [
  ["receive", "Take the oldest message off the queue"],
  ["receive --lock", "Lock the oldest message, to be settled later"],
  ["peek 10", "Look at the next ten messages and leave them where they are"],
  ["count", "How many messages are ready"],
  ["listen on", "Take and complete every message as it comes"],
  ["listen off", "Take no more messages by itself"],
  ["dead", "The dead letters: look at them, redrive or purge them"],
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
const TYPED = raw('autocomplete="off" autocapitalize="off" spellcheck="false"');

/** The page: status bar, scrollback, panel, toolbar, prompt. Whole without a script. */
export function pageView(terminal: Terminal, page: string, panel: Html | string): Html {
  const { topic, live } = terminal;
  const query = new URLSearchParams({ topic, page });
  const stream = `/events?${query}&after=${live.position}`;
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
      <body data-topic="${topic}" data-page="${page}" data-home="?${new URLSearchParams({
        topic,
      })}">
        <a class="skip" href="#line">Skip to the prompt</a>
        <header id="status" aria-label="Status">${terminal.status()}</header>
        <div class="stage">
          <main id="scroll" tabindex="0" aria-label="Scrollback">
            <div id="log" role="log" aria-label="Terminal" hx-ignore>${live.recent()}</div>
          </main>
          <aside id="panel" aria-label="Panel">${panel}</aside>
        </div>
        <footer>
          <button id="newer" type="button" hidden></button>
          <p id="trouble" role="alert"></p>
          <div class="tools">${composer(terminal, page)} ${toolbar(terminal, page)}</div>
          ${prompt(terminal, page)} ${viewTools(topic)}
        </footer>
        <p id="announcement" class="unseen" role="status"></p>
        <div hx-sse:connect="${stream}" ${STREAM}></div>
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

/** Which queue a form is about, and on which page it stands. */
function origin({ topic }: Terminal, page: string): Html {
  return html`
    <input type="hidden" name="topic" value="${topic}"><input type="hidden" name="page"
      value="${page}">
  `;
}

function toolbar(terminal: Terminal, page: string): Html {
  return html`
    <form class="toolbar" ${COMMAND_FORM} aria-label="Commands">
      ${origin(terminal, page)} ${BUTTONS.map(([line, title]) =>
        html`
          <button name="line" value="${line}" title="${title}">${line}</button>
        `
      )}
    </form>
  `;
}

/** Everything that `send` takes, for text of more than one line and for fingers. */
function composer(terminal: Terminal, page: string): Html {
  return html`
    <details class="composer">
      <summary title="Write a message with its type, ids and properties">send…</summary>
      <form ${COMMAND_FORM} aria-label="Send a message">
        ${origin(terminal, page)}
        <label class="field wide">
          <span>message</span>
          <textarea name="message" rows="4" required spellcheck="false"></textarea>
        </label>
        <label class="field"><span>type</span><input name="type" ${TYPED}></label>
        <label class="field"><span>correlation id</span><input name="correlationId" ${TYPED}></label>
        <label class="field">
          <span>QoS</span>
          <select name="qos">
            <option value="">as the queue</option>
            <option>0</option>
            <option>1</option>
            <option>2</option>
          </select>
        </label>
        <label class="field">
          <span>expiry, seconds</span>
          <input name="expiry" inputmode="numeric" pattern="[0-9]*" ${TYPED}>
        </label>
        <label class="field two">
          <span>properties, one key=value a line</span>
          <textarea name="properties" rows="1" spellcheck="false"></textarea>
        </label>
        <label class="check"><input type="checkbox" name="retain"> retain</label>
        <button class="primary">send</button>
      </form>
    </details>
  `;
}

function prompt(terminal: Terminal, page: string): Html {
  return html`
    <form class="prompt" ${COMMAND_FORM} aria-label="Prompt">
      ${origin(terminal, page)}
      <label for="line"><span aria-hidden="true">❯</span><span class="unseen">Command</span></label>
      <input id="line" name="line" data-commands="${VOCABULARY}" placeholder="send hello" ${TYPED}
        autocorrect="off" enterkeyhint="send" maxlength="1048576" autofocus>
      <button class="primary">run</button>
    </form>
  `;
}

/** What changes the view and not the queue. */
function viewTools(topic: string): Html {
  const query = new URLSearchParams({ topic });
  return html`
    <div class="view">
      <noscript><a href="/?${query}#line">reload</a></noscript>
      <label class="filter scripted">
        <span class="unseen">Filter the scrollback</span>
        <input id="filter" type="search" placeholder="filter" ${TYPED}>
      </label>
      <button id="pause" type="button" class="scripted" aria-pressed="false">pause</button>
      <a id="export" href="/export?${query}"
        title="The messages in the scrollback as JSON Lines" download>export</a>
    </div>
  `;
}
