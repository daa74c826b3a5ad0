// What htmx does not do by itself: history, completion, scrolling, trimming, and doing without the CDN.

const CDN_PATIENCE_MS = 1000;
const KEPT_ENTRIES = 500;
const KEPT_ENTRIES_WHILE_READING = 3000;
const KEPT_LINES = 200;
const SPOKEN_PER_SECOND = 6;
const BOTTOM_PX = 8;
const HISTORY = "mqtt-terminal-history";

const line = document.getElementById("line");
const scroller = document.getElementById("scroll");
const log = document.getElementById("log");
const newer = document.getElementById("newer");
const trouble = document.getElementById("trouble");

loadLocallyWithoutCdn();
keepHistory();
keepScroll();
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

/** Arrow keys go through what was typed, Tab completes, a line that was sent leaves the prompt. */
function keepHistory() {
  const lines = readHistory();
  const vocabulary = line.dataset.commands.split("\n").map((words) => words.split(" "));
  let at = lines.length;
  let draft = "";

  line.addEventListener("keydown", (event) => {
    if (event.isComposing || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "ArrowUp" && at > 0) {
      if (at === lines.length) draft = line.value;
      show(lines[--at]);
    } else if (event.key === "ArrowDown" && at < lines.length) {
      show(++at === lines.length ? draft : lines[at]);
    } else if (event.key === "Tab" && !event.shiftKey) {
      const completed = complete(line.value, vocabulary);
      if (completed === null) return; // Then Tab does what it does everywhere: it moves on.
      show(completed);
    } else if (event.key === "PageUp" || event.key === "PageDown") {
      scroller.scrollBy(0, (event.key === "PageUp" ? -0.9 : 0.9) * scroller.clientHeight);
    } else {
      return;
    }
    event.preventDefault();
  });

  document.addEventListener("submit", (event) => {
    if (!event.defaultPrevented) return; // Without htmx the browser still needs what is in the form.
    scroller.scrollTop = 0;
    const message = event.target.elements.message;
    if (message !== undefined) message.value = "";
    if (event.target !== line.form) return;
    const typed = line.value.trim();
    if (typed !== "" && typed !== lines.at(-1)) lines.push(typed);
    lines.splice(0, lines.length - KEPT_LINES);
    at = lines.length;
    draft = "";
    line.value = "";
    writeHistory(lines);
  });

  function show(text) {
    line.value = text;
    line.setSelectionRange(text.length, text.length);
  }
}

/** The text with its last word completed as far as it is certain, or null where nothing is. */
function complete(text, vocabulary) {
  const start = text.slice(0, text.lastIndexOf(" ") + 1);
  const typed = text.slice(start.length);
  if (typed === "") return null;
  const command = vocabulary.find(([name]) => name === start.split(" ")[0]);
  const words = start === ""
    ? vocabulary.map(([name]) => name)
    : (command ?? []).slice(1).filter((option) => !start.includes(option));
  const matches = words.filter((word) => word.startsWith(typed));
  if (matches.length === 0) return null;
  let common = matches[0];
  for (const word of matches) {
    while (!word.startsWith(common)) common = common.slice(0, -1);
  }
  if (matches.length === 1) common += " ";
  return common.length > typed.length ? start + common : null;
}

/** Follows the newest entry while it is in view; otherwise holds still and counts. */
function keepScroll() {
  let unseen = 0;
  let spoken = 0;
  let spokenSince = 0;
  let following = true;
  let height = heightOf(log);

  new MutationObserver((changes) => {
    const added = changes.reduce((sum, { addedNodes }) => sum + addedNodes.length, 0);
    speakOrNot(added);
    trim(following ? KEPT_ENTRIES : KEPT_ENTRIES_WHILE_READING);
    if (following) return;
    const grown = heightOf(log);
    scroller.scrollTop -= grown - height;
    height = grown;
    unseen += added;
    showUnseen();
  }).observe(log, { childList: true });

  scroller.addEventListener("scroll", () => {
    // The scroller runs from its bottom up: 0 is the newest entry, above it the offset is negative.
    following = scroller.scrollTop > -BOTTOM_PX;
    height = heightOf(log);
    if (unseen === 0 || !following) return;
    unseen = 0;
    showUnseen();
  }, { passive: true });

  newer.addEventListener("click", () => {
    scroller.scrollTop = 0;
    line.focus();
  });

  function showUnseen() {
    newer.hidden = unseen === 0;
    newer.textContent = `${unseen.toLocaleString("en")} new`;
  }

  /** A flood read aloud would never end: then the status line alone speaks. */
  function speakOrNot(added) {
    const now = Date.now();
    if (now - spokenSince > 1000) {
      spoken = 0;
      spokenSince = now;
    }
    spoken += added;
    const live = spoken > SPOKEN_PER_SECOND ? "off" : "polite";
    if (log.getAttribute("aria-live") !== live) log.setAttribute("aria-live", live);
  }

  function trim(kept) {
    const surplus = log.childElementCount - kept;
    if (surplus <= 0) return;
    const range = document.createRange();
    range.setStartBefore(log.firstChild);
    range.setEndBefore(log.children[surplus]);
    range.deleteContents();
  }
}

/** With the fraction of a pixel that would add up. */
function heightOf(element) {
  return element.getBoundingClientRect().height;
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
    say(`The server refused: ${reasonOf(detail.ctx)}`);
  });
  document.addEventListener("htmx:sse:error", () => {
    document.body.dataset.feed = "lost";
    say("The page lost the server, and keeps trying.");
  });
  document.addEventListener("htmx:sse:after:connection", ({ detail }) => {
    if (detail.connection.status !== 200) return;
    delete document.body.dataset.feed;
    say("");
  });

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

function readHistory() {
  try {
    return JSON.parse(sessionStorage.getItem(HISTORY)) ?? [];
  } catch {
    return []; // Storage is switched off: the history lasts as long as the page.
  }
}

function writeHistory(lines) {
  try {
    sessionStorage.setItem(HISTORY, JSON.stringify(lines));
  } catch {
    // Storage is full or switched off: the history lasts as long as the page.
  }
}
