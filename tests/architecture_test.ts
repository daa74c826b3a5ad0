import assert from "node:assert/strict";

/** The rooms of each house from the top floor down. A file imports only from floors below its own. */
const LAYERS: Record<string, readonly (readonly string[])[]> = {
  lib: [
    ["mqtt_message_queue"],
    ["queue_session"],
    ["message_listener", "dead_letters"],
    ["call_options", "queue_capabilities", "queue_events"],
    ["message_receiver", "send_batch"],
    ["message_sender", "receipt", "repetitions"],
    ["mqtt_connection"],
    [
      "retained_messages",
      "shared_probe",
      "deferred_ack",
      "protocol_fallback",
      "queue_subscription",
    ],
    ["mqtt_link"],
    ["mqtt_client", "round_trips", "outgoing_publishes", "link_subscriptions"],
    ["message_buffer", "envelope_codec", "broker_limits", "packet_tap", "receive_waiters"],
    ["queue_options"],
    ["config_params", "option_readers", "telemetry", "packet_batch"],
    [
      "abortable",
      "alarm",
      "backoff",
      "link_errors",
      "packet_ids",
      "packet_reader",
      "publish_packet",
      "deadline_heap",
      "linked_list",
      "reading_gate",
      "recent_names",
      "resent_mark",
      "tcp_stream",
      "within",
    ],
    ["byte_pool", "fingerprint", "packet_writer", "errors"],
    ["message_envelope"],
    ["connection", "public_url", "topic_filter"],
    ["deps"],
  ],
  server: [
    ["main", "cli"],
    ["app", "cli_send", "cli_receive", "cli_look", "cli_dead"],
    ["cli_run"],
    ["broker_queue", "server_queue", "cli_input", "cli_output"],
    ["cli_queue"],
    ["ui", "api", "events", "metrics", "module_sources", "cli_options"],
    ["access_token", "request_limit", "security", "terminals", "views"],
    ["terminal", "api_messages"],
    ["commands", "panel", "queue_monitor"],
    ["dead_letter_commands", "inspector_views", "panel_views"],
    ["message_commands"],
    ["entry_views", "help_view", "json_tree", "panel_parts", "saved_messages", "status_views"],
    ["message_draft", "panel_place", "problem"],
    ["queue_pool", "broker"],
    [
      "queue_keeper",
      "live_feed",
      "message_shelf",
      "message_preview",
      "broker_engine",
      "broker_links",
    ],
    [
      "assets",
      "broker_order",
      "broker_stream",
      "command_line",
      "guess_limit",
      "message_handle",
      "progress_line",
      "rate_meter",
      "settings",
      "visible_text",
      "cli_usage",
    ],
    ["shown_value"],
    ["deps"],
  ],
};

const ROOT = new URL("../", import.meta.url);
const MAX_CODE_LINES = 250;
/** Suites of one subject may be longer: a test is read alone. */
const MAX_TEST_LINES = 400;
/** Longer files, how long they may be, and why. */
const LONGER: Record<string, { lines: number; why: string }> = {
  "lib/mqtt_link.ts": {
    lines: 285,
    why: "the whole life of one link: open, hold, lose, wait, make again, close",
  },
  "lib/mqtt_message_queue.ts": {
    lines: 365,
    why: "the façade: every public method, one call each",
  },
  "lib/queue_session.ts": { lines: 260, why: "everything that is there from open to close" },
  "lib/message_receiver.ts": {
    lines: 300,
    why: "one state: what is held, who waits, how it is settled",
  },
  "lib/mqtt_connection.ts": { lines: 285, why: "the adapter of the whole port" },
};
const PACKAGE = /^(npm:|jsr:|https?:)/;
const FOLDERS = ["lib", "server", "tests", "examples"];

interface Source {
  /** Path from the root of the project. */
  path: string;
  /** The text without comments. */
  code: string;
}

const sources = await readSources();

Deno.test("every file of lib/ and server/ stands on a floor of the table", () => {
  for (const [house, floors] of Object.entries(LAYERS)) {
    assert.deepEqual(rooms(house).sort(), floors.flat().sort());
  }
});

Deno.test("imports point down the layers, so that there is no circle", () => {
  const wrong: string[] = [];
  for (const house of Object.keys(LAYERS)) {
    for (const { path, code } of sourcesIn(house)) {
      const from = floorOf(house, roomOf(path));
      for (const specifier of importsOf(code)) {
        const room = /^\.\/(\w+)\.ts$/.exec(specifier)?.[1];
        if (room !== undefined && floorOf(house, room) <= from) wrong.push(`${path} -> ${room}`);
      }
    }
  }
  assert.deepEqual(wrong, []);
});

Deno.test("lib/ imports nothing from outside but what deps.ts and Deno have", () => {
  assert.deepEqual(foreignImports("lib", /^(\.\/\w+\.ts|node:.+)$/), []);
});

Deno.test("server/ sees the library through ../mod.ts alone", () => {
  assert.deepEqual(
    foreignImports("server", /^(\.\/\w+\.ts|node:.+|\.\.\/(mod\.ts|static\/.+))$/),
    [],
  );
});

Deno.test("mod.ts holds exports of lib/ and nothing else", async () => {
  const code = withoutComments(await Deno.readTextFile(new URL("mod.ts", ROOT)));
  const rest = code.replace(/^export (type )?\{[^}]*\} from "\.\/lib\/\w+\.ts";$/gm, "");
  assert.equal(rest.trim(), "");
});

Deno.test("packages are named in deps.ts only, and always with an exact version", () => {
  const wrong: string[] = [];
  for (const { path, code } of sources) {
    for (const specifier of importsOf(code).filter((specifier) => PACKAGE.test(specifier))) {
      const exact = /^npm:(@[\w.-]+\/)?[\w.-]+@\d+\.\d+\.\d+(\/|$)/.test(specifier);
      if (!path.endsWith("/deps.ts") || !exact) wrong.push(`${path}: ${specifier}`);
    }
  }
  assert.deepEqual(wrong, []);
});

Deno.test("nothing comes from JSR, which not every network reaches", async () => {
  const config = await Deno.readTextFile(new URL("deno.json", ROOT));
  assert.doesNotMatch(config, /jsr:/);
  for (const { path, code } of sources) {
    const found = importsOf(code).filter((specifier) => specifier.startsWith("jsr:"));
    assert.deepEqual(found, [], path);
  }
});

Deno.test("lib/ neither writes to the console nor reads the environment", () => {
  for (const { path, code } of sourcesIn("lib")) {
    assert.doesNotMatch(code, /\bconsole\.|\bDeno\.env\b|\bprocess\.env\b/, path);
  }
});

Deno.test("no file is longer than a reader likes, or than its reason allows", () => {
  const long = sources
    .map(({ path, code }) => ({
      path,
      lines: code.split("\n").filter((line) => line.trim()).length,
    }))
    .filter(({ path, lines }) => {
      const usual = path.startsWith("tests/") ? MAX_TEST_LINES : MAX_CODE_LINES;
      return lines > (LONGER[path]?.lines ?? usual);
    })
    .map(({ path, lines }) => `${path}: ${lines}`);
  assert.deepEqual(long, []);
});

// deno lint refuses `any` and namespaces already.
Deno.test("no file has a default export or an enum", () => {
  const unwanted = /^export default\b|^(export )?(declare )?(const )?enum \w/m;
  for (const { path, code } of sources) assert.doesNotMatch(code, unwanted, path);
});

Deno.test("no file is named after nothing in particular", () => {
  for (const { path } of sources) {
    assert.doesNotMatch(path, /(^|\/)(index|utils?|types|helpers)\.ts$/);
  }
});

async function readSources(): Promise<Source[]> {
  const found: Source[] = [];
  const pending = [...FOLDERS];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    try {
      for await (const { name, isDirectory } of Deno.readDir(new URL(folder, ROOT))) {
        const path = `${folder}/${name}`;
        if (isDirectory) pending.push(path);
        else if (name.endsWith(".ts")) {
          const code = withoutComments(await Deno.readTextFile(new URL(path, ROOT)));
          found.push({ path, code });
        }
      }
    } catch (error) {
      // Not every folder need exist.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return found.sort((a, b) => a.path < b.path ? -1 : 1);
}

/** Good enough for formatted code: a comment stands on lines of its own or behind a space. */
function withoutComments(text: string): string {
  return text.replace(/^\s*\/\*[^]*?\*\//gm, "").replace(/(^|\s)\/\/ .*$/gm, "");
}

function importsOf(code: string): string[] {
  const statements = /^(?:import|export)\b[^;"']*?\bfrom\s+"([^"]+)"/gm;
  const others = /^import\s+"([^"]+)"|\bimport\("([^"]+)"/gm;
  return [...code.matchAll(statements), ...code.matchAll(others)]
    .map(([, first, second]) => first ?? second);
}

function sourcesIn(house: string): Source[] {
  return sources.filter(({ path }) => path.startsWith(`${house}/`));
}

function rooms(house: string): string[] {
  return sourcesIn(house).map(({ path }) => roomOf(path));
}

function roomOf(path: string): string {
  return path.replace(/^.*\/|\.ts$/g, "");
}

function floorOf(house: string, room: string): number {
  return LAYERS[house].findIndex((floor) => floor.includes(room));
}

function foreignImports(house: string, allowed: RegExp): string[] {
  return sourcesIn(house).filter(({ path }) => roomOf(path) !== "deps").flatMap(({ path, code }) =>
    importsOf(code).filter((specifier) => !allowed.test(specifier)).map((name) =>
      `${path}: ${name}`
    )
  );
}
