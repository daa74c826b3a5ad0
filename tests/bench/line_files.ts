/** Files with one message per line, for the client that sends lines. */
export class LineFiles implements AsyncDisposable {
  readonly #folder: string;
  readonly #paths = new Map<string, Promise<string>>();

  /** Makes a temporary folder for them. */
  static async create(): Promise<LineFiles> {
    return new LineFiles(await Deno.makeTempDir({ prefix: "bench-lines-" }));
  }

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** The path of a file with so many messages of so many bytes. */
  path(size: number, count: number): Promise<string> {
    const name = `${size}-${count}`;
    let path = this.#paths.get(name);
    if (path === undefined) this.#paths.set(name, path = this.#write(name, size, count));
    return path;
  }

  /** Removes all of them. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #write(name: string, size: number, count: number): Promise<string> {
    const path = `${this.#folder}/${name}`;
    const line = new Uint8Array(size + 1).fill(97);
    line[size] = 10;
    const lines = new Uint8Array(line.length * count);
    for (let i = 0; i < count; i++) lines.set(line, i * line.length);
    await Deno.writeFile(path, lines);
    return path;
  }
}
