/** Longest UTF-8 string that a packet can carry, in bytes ([MQTT-1.5.4], 3.1.1: 1.5.3). */
const MAX_TOPIC_BYTES = 65_535;
const UNPRINTABLE = /[\p{Cc}\p{Noncharacter_Code_Point}]/u;
const PRINTABLE_ASCII = /^[ -~]*$/;
const SHARE_PREFIX = "$share/";

/**
 * Checks a topic name, the kind that messages are published to ([MQTT-4.7]).
 *
 * @throws {TypeError} where it is empty, too long, or holds a wildcard, NUL or half a surrogate pair
 */
export function assertTopicName(topic: string): void {
  assertTopicString(topic, "topic name");
  if (isTopicFilter(topic)) {
    throw new TypeError(
      `Cannot send: a topic name without wildcards is needed, received ${show(topic)}`,
    );
  }
}

/**
 * Checks a topic filter, the kind that is subscribed to: `+` and `#` stand alone in their level,
 * `#` in the last one ([MQTT-4.7.1-1], [MQTT-4.7.1-2]); `$share/group/filter` is a filter too.
 *
 * @throws {TypeError} naming what is wrong with it
 */
export function assertTopicFilter(filter: string): void {
  assertTopicString(filter, "topic filter");
  const levels = filterOf(filter).split("/");
  levels.forEach((level, index) => {
    const misplaced = level.length > 1 && (level.includes("+") || level.includes("#")) ||
      level === "#" && index < levels.length - 1;
    if (misplaced) {
      throw new TypeError(
        `Cannot subscribe: + and # must fill a level, # the last one, received ${show(filter)}`,
      );
    }
  });
}

/**
 * Checks the name of a shared subscription's group ([MQTT-4.8.2-1], [MQTT-4.8.2-2]).
 *
 * @throws {TypeError} where it is empty or holds `/`, `+` or `#`
 */
export function assertGroupName(group: string): void {
  assertTopicString(group, "group name");
  if (/[/+#]/.test(group)) {
    throw new TypeError(
      `Cannot subscribe: a group name holds no "/", "+" or "#", received ${show(group)}`,
    );
  }
}

/**
 * Whether the text holds nothing for which a broker must or may end the link ([MQTT-1.5.4-1],
 * [MQTT-1.5.4-2] and what follows them): Mosquitto does.
 */
export function isPlainText(text: string): boolean {
  return PRINTABLE_ASCII.test(text) || text.isWellFormed() && !UNPRINTABLE.test(text);
}

/** Whether the string can only be subscribed to: it has a wildcard or is a shared subscription. */
export function isTopicFilter(topic: string): boolean {
  return topic.includes("+") || topic.includes("#") || isShared(topic);
}

/** Whether the string is a shared subscription, `$share/group/filter` ([MQTT-4.8.2]). */
export function isShared(filter: string): boolean {
  return filter.startsWith(SHARE_PREFIX);
}

/** The shared subscription of `group` on `filter`. */
export function sharedFilter(group: string, filter: string): string {
  return `${SHARE_PREFIX}${group}/${filter}`;
}

function filterOf(filter: string): string {
  if (!isShared(filter)) return filter;
  const slash = filter.indexOf("/", SHARE_PREFIX.length);
  const group = filter.slice(SHARE_PREFIX.length, slash < 0 ? undefined : slash);
  const rest = slash < 0 ? "" : filter.slice(slash + 1);
  if (rest === "") {
    throw new TypeError(
      `Cannot subscribe: a shared subscription is $share/group/filter, received ${show(filter)}`,
    );
  }
  assertGroupName(group);
  return rest;
}

function assertTopicString(value: string, what: string): void {
  if (typeof value !== "string" || value === "") {
    throw new TypeError(`Cannot use as ${what}: it must not be empty, received ${show(value)}`);
  }
  if (!isPlainText(value)) {
    throw new TypeError(
      `Cannot use as ${what}: control characters, noncharacters and lone surrogates end the link, received ${
        show(value)
      }`,
    );
  }
  const bytes = new TextEncoder().encode(value).byteLength;
  if (bytes > MAX_TOPIC_BYTES) {
    throw new TypeError(
      `Cannot use as ${what}: at most ${MAX_TOPIC_BYTES} bytes in UTF-8, received ${bytes}`,
    );
  }
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}
