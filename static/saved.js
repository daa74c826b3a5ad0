// What is saved under a name: the browser keeps a copy for a server that is started anew.

const KEPT = "mqtt-terminal-saved";

let seen = "";

document.addEventListener("htmx:sse:after:message", () => void keep());
void keep();

/** Each frame of the feed says in one word whether there is anything new to keep. */
async function keep() {
  const version = document.getElementById("words")?.dataset.kept ?? "";
  if (version === seen) return;
  seen = version;
  const [life, changes] = version.split(".");
  const kept = readKept();
  const lost = kept !== null && kept.life !== life;
  if (!lost && changes === "0") return;
  let response;
  try {
    response = await fetch(
      "/saved",
      lost ? { method: "POST", body: JSON.stringify(kept.lines) } : {},
    );
  } catch {
    seen = ""; // The server went away: its first frame when it is back tries again.
    return;
  }
  if (response.ok) write(await response.text());
}

function readKept() {
  try {
    return JSON.parse(localStorage.getItem(KEPT));
  } catch {
    return null; // Storage is switched off: what is saved lasts as long as the server runs.
  }
}

function write(copy) {
  try {
    localStorage.setItem(KEPT, copy);
  } catch {
    // Storage is full or switched off: what is saved lasts as long as the server runs.
  }
}
