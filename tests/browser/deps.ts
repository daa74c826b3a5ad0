// The package that the tests of the page need.

export { type Browser, chromium, type Page } from "npm:playwright-core@1.65.1";
