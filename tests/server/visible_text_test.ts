import assert from "node:assert/strict";
import { visibleLine, visibleText } from "../../server/visible_text.ts";

Deno.test("visibleText() shows what hides, moves or turns the text around it", () => {
  assert.equal(visibleText("a\u0000b\u001b[31m\u007f"), "a⟨NUL⟩b⟨ESC⟩[31m⟨U+007F⟩");
  assert.equal(visibleText("\u202egnp.exe\u2066\u200e"), "⟨U+202E⟩gnp.exe⟨U+2066⟩⟨U+200E⟩");
  assert.equal(visibleText("a\u200bb\u2060c\ufeff\u00ad"), "a⟨U+200B⟩b⟨U+2060⟩c⟨U+FEFF⟩⟨U+00AD⟩");
  assert.equal(visibleText("x\u{e0041}\u2028"), "x⟨U+E0041⟩⟨U+2028⟩");
});

Deno.test("visibleText() leaves writing of any kind alone", () => {
  for (const text of ["Grüße", "日本語", "שלום", "👩‍🚀 ❤️", "<b>&amp;</b>"]) {
    assert.equal(visibleText(text), text);
  }
});

Deno.test("visibleText() keeps the line breaks that it is told to keep", () => {
  assert.equal(visibleText("a\n\tb\r", "\n\t"), "a\n\tb⟨CR⟩");
});

Deno.test("visibleLine() is one line, cut between characters", () => {
  assert.equal(visibleLine("a\nb\r\nc"), "a⏎b⏎c");
  assert.equal(visibleLine("abcdef", 3), "abc…");
  assert.equal(visibleLine("ab👩", 3), "ab…");
});
