// The panel beside the scrollback: opens, closes, keeps up, counts locks down, copies.

const REFRESH_MS = 1000;
/** The ages grow even where nothing else happens. */
const AGE_MS = 10_000;
/** A row is not moved from under a pointer that is on its way. */
const STEADY_MS = 1500;
const COPIED_MS = 1500;

const panel = document.getElementById("panel");
const line = document.getElementById("line");
const home = location.pathname + (document.body.dataset.home ?? "");
const deadlines = new WeakMap();
let takesFocus = false;
let hadFocus = false;
let shown = placeOf();
let countdown = null;
let aging = null;
let refreshing = null;
let movedAt = 0;

document.addEventListener("click", (event) => {
  const { target } = event;
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  const opens = target.closest("[data-panel]");
  const copies = target.closest("[data-copy], [data-copy-from]");
  if (target.closest("[data-close]") !== null) close();
  else if (copies !== null) void copy(copies);
  else if (opens !== null) {
    if (globalThis.htmx === undefined) return;
    takesFocus = true;
    htmx.ajax("GET", opens.dataset.panel, { target: "#panel", swap: "innerHTML" });
  } else {
    if (target.closest("#panel a[href]") !== null) takesFocus = true;
    return;
  }
  event.preventDefault();
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.isComposing && panel.childElementCount > 0) close();
});

panel.addEventListener("pointermove", () => movedAt = Date.now(), { passive: true });
panel.addEventListener("submit", () => movedAt = 0); // Who acted waits to see it.
panel.addEventListener("focusin", () => hadFocus = true);
panel.addEventListener("focusout", ({ relatedTarget }) => hadFocus = relatedTarget === null);

new MutationObserver(() => {
  const place = placeOf();
  history.replaceState(null, "", place === undefined ? home : `/?${place}`);
  if (panel.childElementCount > 0) {
    const lost = hadFocus && document.activeElement === document.body;
    const field = panel.querySelector("[name=confirm]");
    if (field !== null && place !== shown) field.focus();
    else if (takesFocus || lost) panel.querySelector("h2")?.focus();
    takesFocus = false;
  }
  shown = place;
  countDown();
  growOld();
}).observe(panel, {
  childList: true,
  subtree: true,
  attributes: true,
  attributeFilter: ["data-left"],
});

// Each frame of the feed says in one word whether there is anything new to show here.
let version = "";
document.addEventListener("htmx:sse:after:message", () => {
  const now = document.getElementById("words")?.dataset.version ?? "";
  const changed = /panel=message&/.test(shown) ? tail(now) !== tail(version) : now !== version;
  version = now;
  if (changed && panel.childElementCount > 0) refreshSoon();
});

// What was asked for while the panel showed another place comes too late.
document.addEventListener("htmx:before:swap", (event) => {
  const { sourceElement } = event.detail.ctx;
  if (!sourceElement.isConnected && "refresh" in sourceElement.dataset) event.preventDefault();
});

addEventListener("pagehide", () => {
  const { topic, page } = document.body.dataset;
  navigator.sendBeacon(`/leave?${new URLSearchParams({ topic, page })}`);
});

countDown();
growOld();

function placeOf() {
  return panel.querySelector("[name=back]")?.value;
}

/** Locks and dead letters: what matters to one message. */
function tail(text) {
  return text.split(".").slice(-2).join(".");
}

function close() {
  panel.replaceChildren();
  line.focus();
}

function refreshSoon() {
  if (refreshing !== null) return;
  refreshing = setTimeout(() => {
    refreshing = null;
    const typing = panel.querySelector("input:focus") !== null;
    if (document.hidden || typing || Date.now() - movedAt < STEADY_MS) return refreshSoon();
    const source = panel.querySelector("[data-refresh]");
    if (source !== null) htmx.trigger(source, "refresh");
  }, REFRESH_MS);
}

/** Runs only while there is a lock to count. */
function countDown() {
  const locks = panel.querySelectorAll("[data-left]");
  for (const lock of locks) {
    if (deadlines.get(lock)?.left === lock.dataset.left) continue;
    const { left } = lock.dataset;
    deadlines.set(lock, { left, at: Date.now() + Number(left) });
  }
  if (locks.length === 0) {
    clearInterval(countdown);
    countdown = null;
  } else countdown ??= setInterval(tick, 1000);
}

/** Runs only while there is something to grow old. */
function growOld() {
  clearInterval(aging);
  if (panel.querySelector("tbody") !== null) aging = setInterval(refreshSoon, AGE_MS);
}

function tick() {
  for (const lock of panel.querySelectorAll("[data-left]")) {
    const left = Math.max(0, Math.ceil((deadlines.get(lock).at - Date.now()) / 1000));
    lock.textContent = left;
    if (left === 0) refreshSoon();
  }
}

async function copy(source) {
  const { copy, copyFrom } = source.dataset;
  const from = copyFrom === undefined ? null : source.href;
  try {
    await write(from === null ? JSON.parse(copy) : await read(from));
    source.dataset.copied = "";
    setTimeout(() => delete source.dataset.copied, COPIED_MS);
    document.getElementById("announcement").textContent = "Copied.";
  } catch (error) {
    document.getElementById("trouble").textContent = `Cannot copy: ${error.message}`;
  }
}

async function read(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error((await response.json()).detail);
  return await response.text();
}

async function write(text) {
  if (navigator.clipboard !== undefined) return await navigator.clipboard.writeText(text);
  // Over plain HTTP from another machine the browser has no clipboard for us but this one.
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
