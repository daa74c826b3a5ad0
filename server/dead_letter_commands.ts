import type { DeadLetter } from "../mod.ts";
import type { CommandLine } from "./command_line.ts";
import { noticeEntry } from "./entry_views.ts";
import type { Html } from "./live_feed.ts";
import { type CommandContext, meant, said } from "./message_commands.ts";
import { findHandle } from "./message_handle.ts";
import type { QueueKeeper } from "./queue_keeper.ts";

/** More than anybody looks through; the rest is told by its number. */
const MAX_LETTERS = 10_000;

/** `dead` */
export async function dead(
  { keeper }: CommandContext,
  { options, rest }: CommandLine,
): Promise<Html> {
  if (rest === "") {
    return noticeEntry("good", letters(await keeper.queue.deadLetters.count()), new Date());
  }
  const envelope = await meant(keeper, "dead-letter", rest);
  const reason = options.get("reason")?.at(-1) ?? "rejected";
  const description = options.get("description")?.at(-1) ?? "by hand, in the terminal";
  await keeper.queue.moveToDeadLetter(envelope, { reason, description });
  return said("good", "moved to the dead letters", envelope);
}

/** `redrive` */
export async function redrive({ keeper }: CommandContext, { rest }: CommandLine): Promise<Html> {
  const { deadLetters } = keeper.queue;
  if (rest !== "") {
    const { id } = await findLetter(keeper, rest);
    await deadLetters.redrive(id);
    return said("good", "sent to where it came from", { messageId: id });
  }
  return noticeEntry(
    "good",
    `sent ${letters(await deadLetters.redrive())} to where they came from`,
    new Date(),
  );
}

/** `purge`: without the queue's name it only asks, in the panel. */
export async function purge(
  { keeper, topic }: CommandContext,
  { options, rest }: CommandLine,
): Promise<Html> {
  const confirmed = options.get("confirm")?.at(-1);
  const { deadLetters } = keeper.queue;
  if (confirmed === undefined) {
    return noticeEntry(
      "waiting",
      "this destroys: type the queue's name to go on",
      new Date(),
      rest === "" ? letters(await deadLetters.count()) : "",
    );
  }
  if (confirmed !== topic) {
    throw new SyntaxError(
      `Cannot purge: the queue's name is needed to confirm, received "${confirmed}"`,
    );
  }
  if (rest !== "") {
    const { id } = await findLetter(keeper, rest);
    await deadLetters.purge(id);
    return said("good", "purged", { messageId: id });
  }
  return noticeEntry("good", `purged ${letters(await deadLetters.purge())}`, new Date());
}

/**
 * The dead letter that the word names.
 *
 * @throws {RangeError} where there is none, or several may be meant
 */
export async function findLetter(keeper: QueueKeeper, word: string): Promise<DeadLetter> {
  const all = await keeper.queue.deadLetters.peekBatch(MAX_LETTERS);
  const id = findHandle(word, all.map((letter) => letter.id));
  const found = all.find((letter) => letter.id === id);
  if (found === undefined) {
    throw new RangeError(`Cannot find the dead letter: none has this id, received "${word}"`);
  }
  return found;
}

function letters(count: number): string {
  return `${count} dead ${count === 1 ? "letter" : "letters"}`;
}
