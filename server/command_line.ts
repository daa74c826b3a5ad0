/** A line as typed, taken apart: the command, its `--options`, and the rest exactly as it stands. */
export interface CommandLine {
  name: string;
  /** Every value of each option in its order; a flag has the empty one. */
  options: Map<string, string[]>;
  rest: string;
}

const OPTION = /^--([a-z][a-z0-9-]*)(?:=|\s+|$)/;
const WORD = /^(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|(\S+))\s*/;

/**
 * Takes a line apart. Options stand before the rest; `--` ends them, so that a text may begin with
 * two dashes. Values with spaces stand in quotes.
 *
 * @param flags options that take no value
 * @throws {SyntaxError} where an option has no value
 */
export function parseCommandLine(line: string, flags: readonly string[] = []): CommandLine {
  const [, word = "", after = ""] = /^\s*(\S*)\s*([^]*?)\s*$/.exec(line) ?? [];
  const name = word.toLowerCase();
  const options = new Map<string, string[]>();
  let rest = after;
  while (rest.startsWith("--")) {
    if (/^--(?:\s|$)/.test(rest)) return { name, options, rest: rest.slice(2).trimStart() };
    const option = OPTION.exec(rest);
    if (option === null) break;
    const values = options.get(option[1]) ?? [];
    options.set(option[1], values);
    if (flags.includes(option[1])) {
      values.push("");
      rest = rest.slice(option[0].length);
      continue;
    }
    const value = WORD.exec(rest.slice(option[0].length));
    if (value === null) {
      throw new SyntaxError(`Cannot read --${option[1]}: a value is needed, received none`);
    }
    values.push(value[1]?.replace(/\\(.)/g, "$1") ?? value[2] ?? value[3]);
    rest = rest.slice(option[0].length + value[0].length);
  }
  return { name, options, rest };
}

/** The first word of a text, quotes taken off, and what stands behind it. */
export function splitWord(text: string): [word: string, rest: string] {
  const found = WORD.exec(text);
  if (found === null) return ["", ""];
  const word = found[1]?.replace(/\\(.)/g, "$1") ?? found[2] ?? found[3];
  return [word, text.slice(found[0].length)];
}

/** A text as it would have to be typed after an option. */
export function quoteWord(text: string): string {
  if (/^[^\s"'-][^\s"']*$/.test(text)) return text;
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

/** The text without the one pair of quotes around the whole of it; in double quotes `\n` is a line break. */
export function unquoteText(text: string): string {
  if (/^'[^']*'$/.test(text)) return text.slice(1, -1);
  if (!/^"(?:[^"\\]|\\.)*"$/.test(text)) return text;
  try {
    return String(JSON.parse(text));
  } catch {
    return text; // No JSON string: then it is meant as it stands.
  }
}

/** The known word that is nearest to what was typed, or `null` where none is near. */
export function nearestWord(typed: string, words: readonly string[]): string | null {
  const short = typed.slice(0, 20);
  const ranked = words.map((word) => ({
    word,
    distance: word.startsWith(short) && short.length > 1 ? 0 : editDistance(short, word),
  })).sort((a, b) => a.distance - b.distance);
  const best = ranked.at(0);
  return best !== undefined && best.distance <= Math.max(1, Math.floor(best.word.length / 2))
    ? best.word
    : null;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return row[b.length];
}
