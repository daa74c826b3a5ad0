import type { ConfigParams } from "./config_params.ts";
import type { QoS } from "./connection.ts";
import { ConfigError } from "./errors.ts";
import {
  boolean,
  checked,
  clientId,
  credential,
  hostName,
  integer,
  oneOf,
  pem,
  PROTOCOLS,
  type Reader,
  readProtocolVersion,
  readUrl,
} from "./option_readers.ts";
import { assertGroupName, assertTopicFilter, assertTopicName } from "./topic_filter.ts";

/** How `receive` takes a message: removed at once, or locked until it is settled. */
export type ReceiveMode = "receiveAndDelete" | "peekLock";

/** A user name or password, or a function that is asked for it at every connect. */
export type Credential = string | (() => string | Promise<string>);

/** Keys and certificates of an encrypted link, each PEM text or bytes. */
export interface TlsOptions {
  /** The authorities to trust in place of the system's. */
  ca?: string | Uint8Array;
  /** Our certificate, where the broker asks for one. */
  cert?: string | Uint8Array;
  /** The private key of `cert`. */
  key?: string | Uint8Array;
  /** Whether a broker that cannot be verified is refused. @default {true} */
  rejectUnauthorized?: boolean;
}

/** The settings of a queue. Each has a dotted key for `configure`. */
export interface QueueOptions {
  /** Where to publish and subscribe; `topic`. @default the queue's name */
  topic?: string;
  /** `mqtt`, `mqtts`, `ws` or `wss`; `connection.uri`. @default {"mqtt://localhost:1883"} */
  url?: string;
  /** `credential.username`. */
  username?: Credential;
  /** `credential.password`. */
  password?: Credential;
  /** `connection.tls.*`. */
  tls?: TlsOptions;
  /** Makes the session durable; `client_id`. The sending link uses it with `-send` behind. @default none: private */
  clientId?: string;
  /** `auto` tries 5, then 3.1.1 (`4`); `options.protocol_version`. @default {"auto"} */
  protocolVersion?: "auto" | 4 | 5;
  /** `options.qos`. @default {1} */
  qos?: QoS;
  /** Whether the broker keeps the last message of the topic; `options.retain`. @default {false} */
  retain?: boolean;
  /** Subscribe in `open`, not at the first peek, receive, listen or count; `options.autosubscribe`. @default {false} */
  autoSubscribe?: boolean;
  /** `true`: JSON; `false`: the body alone; `options.serialize_envelope`. @default whatever loses nothing */
  serializeEnvelope?: boolean;
  /** `options.receive_mode`. @default {"receiveAndDelete"} */
  receiveMode?: ReceiveMode;
  /** Milliseconds that a lock lasts; `options.lock_timeout`. @default {30000} */
  lockTimeout?: number;
  /** Deliveries before a message becomes a dead letter; `options.max_deliveries`. @default {10} */
  maxDeliveries?: number;
  /** First level of the dead letters' topics; `options.dead_letter_prefix`. @default {"dead-letter"} */
  deadLetterPrefix?: string;
  /** Share the topic with the others of this group; `options.group`. @default none */
  group?: string;
  /** Messages held unacknowledged at most (MQTT 5); `options.prefetch`. @default {65535}, 100 with a group */
  prefetch?: number;
  /** Bytes held at most before reading stops; `options.max_buffered_bytes`. @default {67108864} */
  maxBufferedBytes?: number;
  /** Which message goes when QoS 0 overflows; `options.overflow`. @default {"drop-oldest"} */
  overflow?: "drop-oldest" | "drop-newest";
  /** Seconds that a durable session outlives its link (MQTT 5); `options.session_expiry`. @default {604800} */
  sessionExpiry?: number;
  /** Seconds until an unread message is dropped (MQTT 5); `options.message_expiry`. @default none */
  messageExpiry?: number;
  /** Milliseconds for a connect; `options.connect_timeout`. @default {30000} */
  connectTimeout?: number;
  /** Whether a lost link is made again; `options.retry_connect`. @default {true} */
  retryConnect?: boolean;
  /** Milliseconds before the first attempt; it doubles, with jitter, to 30000; `options.reconnect_timeout`. @default {1000} */
  reconnectTimeout?: number;
  /** Milliseconds of silence before a ping; `options.keepalive_timeout`. @default {60000} */
  keepaliveTimeout?: number;
  /** Milliseconds for a send; `options.send_timeout`. @default {30000} */
  sendTimeout?: number;
  /** Messages that may wait to be sent; `options.max_pending`. @default {10000} */
  maxPending?: number;
  /** Acknowledge in the order of arrival ([MQTT-4.6.0-2]) or of settling; `options.ack_order`. @default {"arrival"} */
  ackOrder?: "arrival" | "settled";
}

/** The settings with every default in place. */
export type ResolvedOptions =
  & Required<Omit<QueueOptions, OptionalName>>
  & Pick<QueueOptions, OptionalName>;

type OptionalName =
  | "topic"
  | "username"
  | "password"
  | "clientId"
  | "serializeEnvelope"
  | "group"
  | "messageExpiry";

interface Field {
  /** The path in `QueueOptions`, or of a part of `url`. */
  name: string;
  keys: string[];
  read: Reader;
}

const MAX_TIMER_MS = 2_147_483_647;
const MAX_SECONDS = 4_294_967_295;

const FIELDS: Field[] = [
  { name: "topic", keys: ["topic"], read: checked(assertTopicFilter) },
  { name: "url", keys: ["connection.uri"], read: readUrl },
  { name: "protocol", keys: ["connection.protocol"], read: oneOf(...PROTOCOLS) },
  { name: "host", keys: ["connection.host"], read: hostName },
  { name: "port", keys: ["connection.port"], read: integer(1, 65_535) },
  { name: "username", keys: ["credential.username"], read: credential },
  { name: "password", keys: ["credential.password"], read: credential },
  { name: "tls.ca", keys: ["connection.tls.ca"], read: pem },
  { name: "tls.cert", keys: ["connection.tls.cert"], read: pem },
  { name: "tls.key", keys: ["connection.tls.key"], read: pem },
  {
    name: "tls.rejectUnauthorized",
    keys: ["connection.tls.reject_unauthorized"],
    read: boolean,
  },
  { name: "clientId", keys: ["client_id"], read: clientId },
  { name: "protocolVersion", keys: ["options.protocol_version"], read: readProtocolVersion },
  { name: "qos", keys: ["options.qos"], read: integer(0, 2) },
  { name: "retain", keys: ["options.retain"], read: boolean },
  {
    name: "autoSubscribe",
    keys: ["options.autosubscribe", "options.auto_subscribe"],
    read: boolean,
  },
  { name: "serializeEnvelope", keys: ["options.serialize_envelope"], read: boolean },
  {
    name: "receiveMode",
    keys: ["options.receive_mode"],
    read: oneOf("receiveAndDelete", "peekLock"),
  },
  { name: "lockTimeout", keys: ["options.lock_timeout"], read: integer(1, MAX_TIMER_MS) },
  { name: "maxDeliveries", keys: ["options.max_deliveries"], read: integer(1, 1e9) },
  {
    name: "deadLetterPrefix",
    keys: ["options.dead_letter_prefix"],
    read: checked(assertTopicName),
  },
  { name: "group", keys: ["options.group"], read: checked(assertGroupName) },
  { name: "prefetch", keys: ["options.prefetch"], read: integer(1, 65_535) },
  {
    name: "maxBufferedBytes",
    keys: ["options.max_buffered_bytes"],
    read: integer(1, Number.MAX_SAFE_INTEGER),
  },
  { name: "overflow", keys: ["options.overflow"], read: oneOf("drop-oldest", "drop-newest") },
  { name: "sessionExpiry", keys: ["options.session_expiry"], read: integer(0, MAX_SECONDS) },
  { name: "messageExpiry", keys: ["options.message_expiry"], read: integer(1, MAX_SECONDS) },
  { name: "connectTimeout", keys: ["options.connect_timeout"], read: integer(1, MAX_TIMER_MS) },
  { name: "retryConnect", keys: ["options.retry_connect"], read: boolean },
  { name: "reconnectTimeout", keys: ["options.reconnect_timeout"], read: integer(1, MAX_TIMER_MS) },
  {
    name: "keepaliveTimeout",
    keys: ["options.keepalive_timeout"],
    read: integer(0, 65_535_000),
  },
  { name: "sendTimeout", keys: ["options.send_timeout"], read: integer(1, MAX_TIMER_MS) },
  { name: "maxPending", keys: ["options.max_pending"], read: integer(1, 1e9) },
  { name: "ackOrder", keys: ["options.ack_order"], read: oneOf("arrival", "settled") },
];

const BY_KEY = new Map(FIELDS.flatMap((field) => field.keys.map((key) => [key, field] as const)));
const BY_NAME = new Map(FIELDS.map((field) => [field.name, field]));
const NOT_TYPED = ["protocol", "host", "port"];

/** Settings that were read and checked, keyed by `Field.name`. Later ones win. */
export type OptionValues = Map<string, unknown>;

/**
 * Reads the typed settings.
 *
 * @throws {ConfigError} naming the option that is unknown, ill-typed or out of range
 */
export function readTypedOptions(options: QueueOptions): OptionValues {
  const values: OptionValues = new Map();
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    // It may be an address with a password, so what was received is not shown.
    const received = options === null ? "null" : Array.isArray(options) ? "list" : typeof options;
    throw new ConfigError(`Cannot configure: options must be an object, received ${received}`, "");
  }
  const { tls, ...flat } = options;
  const named = Object.entries(flat);
  if (tls !== undefined && (typeof tls !== "object" || tls === null)) {
    throw new ConfigError("Cannot configure: tls must be an object", "tls");
  }
  if (tls !== undefined) {
    for (const [key, value] of Object.entries(tls)) named.push([`tls.${key}`, value]);
  }
  for (const [name, value] of named) {
    const field = BY_NAME.get(name);
    if (field === undefined || NOT_TYPED.includes(name)) {
      throw new ConfigError(`Cannot configure: there is no option "${name}"`, name);
    }
    if (value !== undefined) values.set(name, field.read(value, name));
  }
  return values;
}

/**
 * Reads settings under dotted keys. Values may be text: `"true"`, `"1883"`.
 *
 * @throws {ConfigError} naming the key that is unknown, ill-typed or out of range
 */
export function readConfigParams(config: ConfigParams): OptionValues {
  const values: OptionValues = new Map();
  for (const [key, value] of config) {
    const field = BY_KEY.get(key);
    if (field === undefined) {
      const meant = BY_NAME.get(key)?.keys[0];
      const hint = meant === undefined ? "" : `, "${meant}" is meant`;
      throw new ConfigError(`Cannot configure: there is no key "${key}"${hint}`, key);
    }
    if (value !== undefined && value !== null) values.set(field.name, field.read(value, key));
  }
  return values;
}

/**
 * Puts the defaults where nothing was set.
 *
 * @throws {ConfigError} where a password without a user name is meant for MQTT 3.1.1
 */
export function resolveOptions(values: OptionValues): ResolvedOptions {
  const url = new URL(values.get("url") as string ?? urlOfParts(values));
  const credentials = credentialsOf(values, url);
  url.username = url.password = "";
  const set = Object.fromEntries([...values].filter(([name]) => !name.startsWith("tls."))) as
    & QueueOptions
    & Record<string, unknown>;
  for (const part of NOT_TYPED) delete set[part];
  return {
    protocolVersion: "auto",
    qos: 1,
    retain: false,
    autoSubscribe: false,
    receiveMode: "receiveAndDelete",
    lockTimeout: 30_000,
    maxDeliveries: 10,
    deadLetterPrefix: "dead-letter",
    prefetch: set.group === undefined ? 65_535 : 100,
    maxBufferedBytes: 64 * 1024 * 1024,
    overflow: "drop-oldest",
    sessionExpiry: 604_800,
    connectTimeout: 30_000,
    retryConnect: true,
    reconnectTimeout: 1_000,
    keepaliveTimeout: 60_000,
    sendTimeout: 30_000,
    maxPending: 10_000,
    ackOrder: "arrival",
    ...set,
    url: url.pathname + url.search + url.hash === "/" ? url.href.slice(0, -1) : url.href,
    ...credentials,
    tls: {
      ca: values.get("tls.ca") as TlsOptions["ca"],
      cert: values.get("tls.cert") as TlsOptions["cert"],
      key: values.get("tls.key") as TlsOptions["key"],
      rejectUnauthorized: values.get("tls.rejectUnauthorized") as boolean ?? true,
    },
  };
}

/** User name and password: those of their own, else those in the address. */
function credentialsOf(
  values: OptionValues,
  url: URL,
): Pick<ResolvedOptions, "username" | "password"> {
  const username = values.get("username") as Credential | undefined ??
    (decodeURIComponent(url.username) || undefined);
  const password = values.get("password") as Credential | undefined ??
    (decodeURIComponent(url.password) || undefined);
  if (password === undefined || username !== undefined) return { username, password };
  if (values.get("protocolVersion") === 4) {
    throw new ConfigError(
      'Cannot configure "password": MQTT 3.1.1 has none without a user name ([MQTT-3.1.2-22])',
      "password",
    );
  }
  return { username: "", password }; // MQTT 5 can do without, MQTT.js cannot.
}

function urlOfParts(values: OptionValues): string {
  const protocol = values.get("protocol") as string ?? "mqtt";
  const host = values.get("host") as string ?? "localhost";
  const port = values.get("port") ?? { mqtt: 1883, mqtts: 8883, ws: 80, wss: 443 }[protocol];
  return `${protocol}://${host}:${port}`;
}
