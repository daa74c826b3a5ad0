// The prompt: more than one line, history, completion.

const KEPT_LINES = 200;
const MAX_ROWS = 8;
const HISTORY = "mqtt-terminal-history";

const line = grow(document.getElementById("line"));
const scroller = document.getElementById("scroll");
const vocabulary = line.dataset.commands.split("\n").map((words) => words.split(" "));
const lines = readHistory();
let at = lines.length;
let draft = "";

line.addEventListener("keydown", (event) => {
  if (event.isComposing || event.altKey || event.ctrlKey || event.metaKey) return;
  const { key, shiftKey } = event;
  if (key === "Enter" && !shiftKey) line.form.requestSubmit();
  else if (key === "ArrowUp" && at > 0 && !beforeCaret().includes("\n")) {
    if (at === lines.length) draft = line.value;
    show(lines[--at]);
  } else if (key === "ArrowDown" && at < lines.length && !afterCaret().includes("\n")) {
    show(++at === lines.length ? draft : lines[at]);
  } else if (key === "Tab" && !shiftKey) {
    const completed = complete(line.value);
    if (completed === null) return; // Then Tab does what it does everywhere: it moves on.
    show(completed);
  } else if (key === "PageUp" || key === "PageDown") {
    scroller.scrollBy(0, (key === "PageUp" ? -0.9 : 0.9) * scroller.clientHeight);
  } else return;
  event.preventDefault();
});

line.addEventListener("input", fit);

document.addEventListener("submit", (event) => {
  if (!event.defaultPrevented) return; // Without htmx the browser still needs what is in the form.
  scroller.scrollTop = 0;
  const { message } = event.target.elements;
  if (message !== undefined) message.value = "";
  if (event.target !== line.form) return;
  const typed = line.value.trim();
  if (typed !== "" && typed !== lines.at(-1)) lines.push(typed);
  lines.splice(0, lines.length - KEPT_LINES);
  at = lines.length;
  draft = "";
  show("");
  writeHistory();
});

// What is clicked in the help stands in the prompt, to be completed there.
document.addEventListener("click", ({ target }) => {
  const fills = target.closest("[data-fill]");
  if (fills === null) return;
  show(fills.dataset.fill);
  line.focus();
});

/** With a script the prompt takes more than one line; without, Enter has to send it. */
function grow(input) {
  const area = document.createElement("textarea");
  for (const { name, value } of input.attributes) area.setAttribute(name, value);
  area.rows = 1;
  area.value = input.value;
  const focused = document.activeElement === input;
  input.replaceWith(area);
  if (focused) area.focus();
  return area;
}

function show(text) {
  line.value = text;
  line.setSelectionRange(text.length, text.length);
  fit();
}

function fit() {
  line.rows = Math.min(MAX_ROWS, line.value.split("\n").length);
}

function beforeCaret() {
  return line.value.slice(0, line.selectionStart);
}

function afterCaret() {
  return line.value.slice(line.selectionEnd);
}

/** The text with its last word completed as far as it is certain, or null where nothing is. */
function complete(text) {
  const start = text.slice(0, text.search(/\S*$/));
  const typed = text.slice(start.length);
  const takes = takenBehind(start, typed);
  const values = takes.includes("|") ? takes.split("|") : [];
  // Few values that are known stand there one after the other; behind the last Tab moves on.
  if (typed === "" || values.includes(typed)) {
    const next = values[values.indexOf(typed) + 1];
    return next === undefined ? null : start + next;
  }
  const known = values.length > 0 ? values : candidates(takes, start);
  const matches = [...new Set(known)].filter((word) => word.startsWith(typed));
  if (matches.length === 0) return null;
  let common = matches[0];
  for (const word of matches) {
    while (!word.startsWith(common)) common = common.slice(0, -1);
  }
  if (matches.length === 1) common += " ";
  return common.length > typed.length ? start + common : null;
}

/** What may stand at this place of a line. */
function takenBehind(start, typed) {
  const before = start.trim().split(/\s+/);
  if (before[0] === "") return "command";
  if (typed.startsWith("--")) return "option";
  const [, takes = "-", ...options] = wordsOf(before[0]);
  const option = options.find((each) => each.startsWith(`${before.at(-1)}=`));
  if (option !== undefined) return option.split("=")[1];
  return takes.includes("|") && before.length > 1 ? "-" : takes;
}

function candidates(takes, start) {
  switch (takes) {
    case "command":
      return vocabulary.map(([name]) => name);
    case "option":
      return wordsOf(start.trim().split(/\s/)[0]).slice(2).map((option) => option.split("=")[0])
        .filter((option) => option === "--property" || !start.includes(`${option} `));
    case "text":
      return words("saved").map((name) => `@${name}`);
    case "saved":
      return words("saved");
    case "id":
    case "topic":
      return dataOf(takes);
    default:
      return [];
  }
}

function wordsOf(command) {
  return vocabulary.find(([name]) => name === command) ?? [];
}

function words(kind) {
  return document.getElementById("words")?.dataset[kind].split(" ") ?? [];
}

function dataOf(kind) {
  return Array.from(document.querySelectorAll(`[data-${kind}]`), ({ dataset }) => dataset[kind]);
}

function readHistory() {
  try {
    return JSON.parse(sessionStorage.getItem(HISTORY)) ?? [];
  } catch {
    return []; // Storage is switched off: the history lasts as long as the page.
  }
}

function writeHistory() {
  try {
    sessionStorage.setItem(HISTORY, JSON.stringify(lines));
  } catch {
    // Storage is full or switched off: the history lasts as long as the page.
  }
}
