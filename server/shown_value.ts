/** What an address has in it, plain or encoded, and with it maybe a password or a token. */
const OF_ADDRESS = /[:@?=&%]/;

/** What somebody typed, as an error may show it: what may hold a password is not shown. */
export function shownValue(text: string): string {
  return OF_ADDRESS.test(text) ? "something that may hold a password" : JSON.stringify(text);
}

/** What `parseArgs` of `node:util` says of a command line, in one sentence that shows no password. */
export function explainParseError(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const [what] = message.split(". To specify", 1);
  if (!what.startsWith("Unknown option")) return what.split(/\.\s/, 1)[0];
  return OF_ADDRESS.test(what)
    ? "Unknown option, which may hold a password and is not shown"
    : what;
}

/** An error's message with no user and password in the addresses that it quotes. */
export function withoutCredentials(message: string): string {
  return message.replace(/(\w+:\/\/)[^\s"]*@/g, "$1…@");
}
