// What the rivals need in Deno; the runner writes the same for Node.

export { default as mqtt } from "npm:mqtt@5.16.0";
