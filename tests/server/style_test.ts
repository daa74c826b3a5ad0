import assert from "node:assert/strict";

const css = await Deno.readTextFile(new URL("../../static/theme.css", import.meta.url));
const [light, dark] = [...css.matchAll(/:root \{([^}]*--ground[^}]*)\}/g)].map(([, block]) =>
  new Map([...block.matchAll(/--(\w[\w-]*): (#[0-9a-f]{6});/g)].map(([, name, hex]) => [name, hex]))
);

/** Relative luminance as WCAG 2.2 defines it. */
function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: string, other: string): number {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

Deno.test("every colour of text reaches AA on every ground, in light and dark", () => {
  for (const theme of [light, dark]) {
    const colour = (name: string) => theme.get(name) ?? assert.fail(name);
    for (const text of ["ink", "quiet", "tide", "amber", "coral"]) {
      for (const ground of ["ground", "raised", "water"]) {
        const ratio = contrast(colour(text), colour(ground));
        assert.ok(ratio >= 4.5, `${text} ${colour(text)} on ${ground}: ${ratio.toFixed(2)}`);
      }
    }
    assert.ok(contrast(colour("on-tide"), colour("tide")) >= 4.5);
  }
});

Deno.test("the edge of every field reaches what AA asks of controls, in light and dark", () => {
  for (const theme of [light, dark]) {
    const edge = theme.get("edge") ?? assert.fail("edge");
    for (const ground of ["ground", "raised"]) {
      const ratio = contrast(edge, theme.get(ground) ?? assert.fail(ground));
      assert.ok(ratio >= 3, `${edge} on ${ground}: ${ratio.toFixed(2)}`);
    }
  }
});
