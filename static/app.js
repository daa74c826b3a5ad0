// What htmx does not do by itself: doing without the CDN, and saying what did not arrive.

const CDN_PATIENCE_MS = 1000;

const line = document.getElementById("line");
const trouble = document.getElementById("trouble");

loadLocallyWithoutCdn();
tellTrouble();

/**
 * The same bytes from the server itself, as soon as the CDN has failed or taken too long. What the
 * CDN brings after all is ignored: the first htmx stays the one that everything works with.
 */
function loadLocallyWithoutCdn() {
  let first;
  Object.defineProperty(globalThis, "htmx", {
    get: () => first,
    set: (htmx) => first ??= htmx,
  });

  const missing = new Set(document.querySelectorAll("script[data-local]"));
  let replaced = false;
  const arrived = (script) => {
    // htmx may have looked through the page before its extension was there.
    if (missing.delete(script) && missing.size === 0) first.process(document.body);
  };
  const replace = () => {
    if (replaced || missing.size === 0) return;
    replaced = true;
    for (const script of missing) {
      const copy = document.createElement("script");
      copy.src = script.dataset.local;
      copy.integrity = script.integrity;
      copy.async = false; // In their order, as in the page.
      copy.addEventListener("load", () => arrived(script));
      document.head.append(copy);
    }
  };
  for (const script of missing) {
    script.addEventListener("load", () => arrived(script));
    script.addEventListener("error", replace);
  }
  setTimeout(replace, CDN_PATIENCE_MS);
}

/** Says what did not reach the server, and whether the page still hears from it. */
function tellTrouble() {
  let lastSent = "";
  document.addEventListener("htmx:before:request", ({ detail }) => {
    if (detail.ctx.sourceElement !== line.form) return;
    lastSent = detail.ctx.request.body?.get("line") ?? "";
    say("");
  });
  document.addEventListener("htmx:error", ({ detail }) => {
    const source = detail.ctx?.sourceElement;
    if (source === undefined) return;
    if (source === line.form && line.value === "") line.value = lastSent;
    say("The server does not answer. Nothing was run.");
  });
  document.addEventListener("htmx:response:error", ({ detail }) => {
    if (detail.ctx.sourceElement.hasAttribute("hx-sse:connect")) lose();
    say(`The server refused: ${reasonOf(detail.ctx)}`);
  });
  document.addEventListener("htmx:sse:error", () => {
    lose();
    say("The page lost the server, and keeps trying.");
  });
  document.addEventListener("htmx:sse:after:connection", ({ detail }) => {
    if (detail.connection.status !== 200) return;
    delete document.body.dataset.feed;
    say("");
  });

  /** Until the first frame that comes again says how things are. */
  function lose() {
    document.body.dataset.feed = "lost";
    document.querySelector(".state").textContent = "no news from the server";
  }

  function say(text) {
    if (trouble.textContent !== text) trouble.textContent = text;
  }
}

function reasonOf({ text, response }) {
  try {
    return JSON.parse(text).detail;
  } catch {
    return `status ${response.status}`; // An answer that is not the server's own, from a proxy say.
  }
}
