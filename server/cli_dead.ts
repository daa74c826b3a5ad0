import { type CliRun, EXIT } from "./cli_run.ts";

/** Shows dead letters, sends them on their way again, or removes them. */
export async function dead(run: CliRun): Promise<number> {
  const { options: { dead: { action, id } }, queue, output } = run;
  if (action === "browse") return await browse(run);
  const [doing, done] = action === "redrive" ? ["Redriving", "redriven"] : ["Purging", "purged"];
  using progress = output.showProgress(() => `${doing} dead letters`);
  const count = action === "redrive" ? await queue.redrive(id) : await queue.purge(id);
  progress[Symbol.dispose]();
  await output.write({ count }, `${count} ${done}`);
  return count > 0 ? EXIT.done : EXIT.nothing;
}

async function browse({ options, queue, output }: CliRun): Promise<number> {
  const letters = await queue.peekDeadLetters(options.count);
  for (const letter of letters) await output.writeDeadLetter(letter);
  return letters.length > 0 ? EXIT.done : EXIT.nothing;
}
