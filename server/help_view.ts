import { html } from "./deps.ts";
import type { Html } from "./live_feed.ts";

/** What the list shows of a command. */
interface Described {
  name: string;
  usage: string;
  summary: string;
}

/** The list of the commands; each puts itself into the prompt when it is clicked. */
export function helpEntry(commands: readonly Described[]): Html {
  return html`
    <dl class="entry table help">
      ${commands.map(({ name, usage, summary }) =>
        html`
          <div>
            <dt><button type="button" data-fill="${name} "><b>${name}</b></button>${parts(
              usage.slice(name.length),
            )}</dt>
            <dd>${summary}</dd>
          </div>
        `
      )}
    </dl>
  `;
}

/** What stands in brackets stays on one line. The space before it would be taken out from between the tags. */
function parts(usage: string): (Html | string)[] {
  return usage.split(/ (\[[^\]]*\])/).map((part) =>
    part.startsWith("[") ? html`&#32;<span class="unbroken">${part}</span>` : part
  );
}
