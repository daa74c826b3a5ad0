// The scrollback: follows the newest entry, or holds still and counts; filters, trims, speaks.

const KEPT_ENTRIES = 500;
const KEPT_ENTRIES_WHILE_READING = 3000;
const SPOKEN_PER_SECOND = 6;
const BOTTOM_PX = 8;

const { page } = document.body.dataset;
const scroller = document.getElementById("scroll");
const log = document.getElementById("log");
const newer = document.getElementById("newer");
const pause = document.getElementById("pause");
const filter = document.getElementById("filter");
const exporter = document.getElementById("export");
const exportAll = exporter.href;

let unseen = 0;
let spoken = 0;
let spokenSince = 0;
let paused = false;
let following = true;
let height = heightOf(log);
let needle = "";

for (const entry of log.children) mark(entry);

new MutationObserver((changes) => {
  let added = 0;
  for (const { addedNodes } of changes) {
    added += addedNodes.length;
    for (const entry of addedNodes) {
      mark(entry);
      entry.classList?.add("later");
    }
  }
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
  following = !paused && scroller.scrollTop > -BOTTOM_PX;
  height = heightOf(log);
  if (following) seeAll();
}, { passive: true });

newer.addEventListener("click", () => {
  setPaused(false);
  scroller.scrollTop = 0;
  document.getElementById("line").focus();
});

pause.addEventListener("click", () => setPaused(!paused));

filter.addEventListener("input", () => {
  needle = filter.value.trim().toLowerCase();
  for (const entry of log.children) hideOrShow(entry);
  exporter.href = needle === "" ? exportAll : `${exportAll}&filter=${encodeURIComponent(needle)}`;
  height = heightOf(log);
});

function setPaused(to) {
  paused = to;
  pause.setAttribute("aria-pressed", String(to));
  following = !to && scroller.scrollTop > -BOTTOM_PX;
  height = heightOf(log);
  if (following) seeAll();
}

function seeAll() {
  if (unseen === 0) return;
  unseen = 0;
  showUnseen();
}

function showUnseen() {
  newer.hidden = unseen === 0;
  newer.textContent = `${unseen.toLocaleString("en")} new`;
}

function mark(entry) {
  if (entry.dataset === undefined) return;
  const by = entry.dataset.page;
  if (by && by !== page) entry.classList.add("elsewhere");
  if (needle !== "") hideOrShow(entry);
}

function hideOrShow(entry) {
  entry.hidden = needle !== "" && !entry.textContent.toLowerCase().includes(needle);
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

/** With the fraction of a pixel that would add up. */
function heightOf(element) {
  return element.getBoundingClientRect().height;
}
