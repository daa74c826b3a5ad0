const PICTURES = 0x2400;
const DELETE = 0x7f;

// Controls, line separators, direction marks and overrides, and what has no shape. The joiner and the
// two presentation selectors stay: emoji are made with them.
const HIDDEN =
  /[[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]--[\u200d\ufe0e\ufe0f]]/gv;

/**
 * The text with every character that hides, moves or turns what stands around it replaced by one
 * that shows: a picture for the controls (`␀`), the code point for the others (`⟨U+202E⟩`).
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
  if (code < 0x20) return String.fromCodePoint(PICTURES + code);
  if (code === DELETE) return "␡";
  return `⟨U+${code.toString(16).toUpperCase().padStart(4, "0")}⟩`;
}
