// Requests a second of the JSON API, a few at once: send, count, receive.
const { api, count, concurrency } = JSON.parse(Deno.args[0]);
const POLL_MS = 20;
const BODY = JSON.stringify({ type: "m", message: "a".repeat(100) });

async function request(path: string, body?: string): Promise<void> {
  const response = await fetch(`${api}${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { "content-type": "application/json" },
    body,
  });
  await response.text();
  if (response.status !== 200) throw new Error(`Cannot measure: ${path} gave ${response.status}`);
}

async function rate(requests: number, path: string, body?: string): Promise<number> {
  let begun = 0;
  const work = async () => {
    while (begun++ < requests) await request(path, body);
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: concurrency }, work));
  return requests / (performance.now() - start) * 1000;
}

/** The server answers before its link to the broker is there. */
async function ready(): Promise<void> {
  for (;;) {
    const response = await fetch(`${api}/readyz`);
    await response.text();
    if (response.ok) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

const RECEIVE = JSON.stringify({ timeout: 5000 });
await ready();
await rate(count / 4, "/api/send", BODY); // The first of everything is slow and says nothing.
await rate(count / 4, "/api/receive", RECEIVE);
const send = await rate(count, "/api/send", BODY);
const counted = await rate(count, "/api/count");
const receive = await rate(count, "/api/receive", RECEIVE);
console.log(JSON.stringify({ send, count: counted, receive }));
