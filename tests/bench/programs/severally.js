import process from "node:process";
import { sendAll } from "./drive.js";

/** Says "ready", waits, lets all links send and take at once, and says from when to when that was. */
export async function severally({ links, count, window, waitForGo }) {
  const all = (messages) =>
    Promise.all(
      links.flatMap((link) => [link.take(messages), sendAll(link, messages, window)]),
    );
  await all(Math.ceil(count / 4)); // The first of everything is slow and says nothing.
  console.log("ready");
  await waitForGo();
  const now = () => performance.timeOrigin + performance.now();
  const startedAt = now();
  await all(count);
  const endedAt = now();
  const messages = links.length * count;
  console.log(JSON.stringify({ startedAt, endedAt, messages, rss: process.memoryUsage().rss }));
}
