// The packages that the tests of the page need.

export {
  type Browser,
  type BrowserContext,
  chromium,
  type Page,
  type Request,
} from "npm:playwright-core@1.65.1";
/** Finds what a person with an assistive technology would stumble over. */
export { default as axeScript } from "npm:axe-core@4.14.1/axe.min.js" with { type: "text" };
