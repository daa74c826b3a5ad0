const C0_NAMES =
  "NUL SOH STX ETX EOT ENQ ACK BEL BS TAB LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US"
    .split(" ");

// Controls, line separators, direction marks and overrides, and what has no shape. The joiner and the
// two presentation selectors stay: emoji are made with them.
const HIDDEN =
  /[[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]--[\u200d\ufe0e\ufe0f]]/gv;

/**
 * The text with every character that hides, moves or turns what stands around it replaced by one
 * that shows: the name of a control (`⟨ESC⟩`), the code point of the others (`⟨U+202E⟩`).
 *
 * @param keep characters that stay as they are, such as `"\n\t"` where the text is shown in lines
 */
export function visibleText(text: string, keep = ""): string {
  return text.replace(HIDDEN, (found) => keep.includes(found) ? found : show(found));
}

/** One line of at most `max` characters, an ellipsis where something was left out. */
export function visibleLine(text: string, max = 200): string {
  const short = text.length > max ? text.slice(0, max).replace(/[\ud800-\udbff]$/, "") : text;
  const line = visibleText(short.replace(/\r\n|\n/g, "⏎"));
  return short.length < text.length ? `${line}…` : line;
}

function show(found: string): string {
  const code = found.codePointAt(0) ?? 0;
  return `⟨${C0_NAMES[code] ?? `U+${code.toString(16).toUpperCase().padStart(4, "0")}`}⟩`;
}
