/** A broker's address as it may be shown: without user and password, and without a query, where tokens stand. */
export function publicUrl(url: string): string {
  return url.split(/[?#]/, 1)[0].replace(/^(\w+:\/\/)[^/]*@/, "$1");
}
