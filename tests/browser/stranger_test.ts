import assert from "node:assert/strict";
import { startChromium } from "../support/chromium.ts";
import { seeFigure, TerminalBrowser, typeLine } from "./terminal_page.ts";

/** A form to the server that sends itself. */
function form(url: string): string {
  return `<form method="post" action="${url}command"><input name="line" value="send pwned"></form>
    <script>document.forms[0].submit()</script>`;
}

/** What strangers' pages try, and where; the browser says their origin, that they have none, or nothing. */
const ATTEMPTS: {
  name: string;
  path: string;
  says: "origin" | "null" | "nothing";
  page: (url: string) => string;
}[] = [
  { name: "a form", path: "/command", says: "origin", page: form },
  {
    name: "a form of a page that hides where it comes from",
    path: "/command",
    says: "null",
    page: (url) => `<meta name="referrer" content="no-referrer">${form(url)}`,
  },
  {
    name: "a form in a sandbox",
    path: "/command",
    says: "null",
    page: (url) =>
      `<iframe sandbox="allow-forms allow-scripts" srcdoc="${
        form(url).replaceAll('"', "&quot;")
      }"></iframe>`,
  },
  {
    name: "a change by a script that may not read the answer",
    path: "/api/receive",
    says: "origin",
    page: (url) =>
      `<script>fetch("${url}api/receive", { method: "POST", mode: "no-cors", body: "{}" })</script>`,
  },
  {
    name: "a question, as a script",
    path: "/api/peek",
    says: "nothing",
    page: (url) => `<script src="${url}api/peek"></script>`,
  },
  {
    name: "a question, as a picture",
    path: "/export",
    says: "nothing",
    page: (url) => `<img src="${url}export">`,
  },
];

// One browser for all steps: to start one takes longer than most of them.
Deno.test("a stranger's page changes nothing and learns nothing", async (t) => {
  await using chromium = await startChromium();
  for (const { name, path, says, page: content } of ATTEMPTS) {
    // To the browser `localhost` is another site than the server's address, another port the same one.
    for (const host of ["localhost", "127.0.0.1"]) {
      await t.step(
        `${name}, from ${host === "localhost" ? "another" : "the same"} site`,
        async () => {
          await using browser = await TerminalBrowser.start({}, { chromium });
          const own = await browser.open();
          await typeLine(own, "send mine");
          await seeFigure(own, "ready", "1");
          await using stranger = Deno.serve(
            { hostname: "127.0.0.1", port: 0, onListen: () => {} },
            () => new Response(content(browser.url), { headers: { "content-type": "text/html" } }),
          );
          const origin = `http://${host}:${stranger.addr.port}`;
          const page = await own.context().newPage(); // With whatever ours left in the browser.
          const refused = browser.nextAnswer((answer) =>
            answer.path === path && answer.origin !== new URL(browser.url).origin
          );
          await page.goto(origin, { waitUntil: "commit" });
          const said = { origin, null: "null", nothing: null }[says];
          assert.deepEqual(await refused, { path, status: 403, origin: said });
          await typeLine(own, "count");
          await own.locator("#log", { hasText: "1 message ready" }).waitFor();
          assert.doesNotMatch(await own.locator("#log").innerText(), /pwned|received/);
          await page.close();
        },
      );
    }
  }

  await t.step("the page's own forms say where they come from", async () => {
    await using browser = await TerminalBrowser.start({}, { chromium });
    for (const javaScriptEnabled of [true, false]) {
      const page = await browser.open({ javaScriptEnabled });
      await typeLine(page, "count");
      await page.locator("#log", { hasText: "0 messages ready" }).waitFor();
      const commands = browser.answers.filter(({ path }) => path === "/command");
      assert.equal(commands.at(-1)?.origin, browser.url.slice(0, -1));
    }
  });
});
