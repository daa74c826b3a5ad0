import type { DeadLetter, MessageEnvelope } from "../mod.ts";
import { html } from "./deps.ts";
import type { Html } from "./live_feed.ts";
import { handleOf, shortHandle } from "./message_handle.ts";
import { formatSize, previewMessage, readBodyStart } from "./message_preview.ts";
import { ageView, COMMAND_FORM, commandButton, lockView, panelLink } from "./panel_parts.ts";
import { messagePlace, type PanelPlace, writePlace } from "./panel_place.ts";
import { visibleLine } from "./visible_text.ts";

/** The frame around what the panel shows: a heading, a way to close it, and a form for its buttons. */
export function panelFrame(
  topic: string,
  place: PanelPlace,
  title: string,
  content: Html | string,
): Html {
  const query = writePlace(topic, place);
  return html`
    <form class="panel" ${COMMAND_FORM} aria-labelledby="panel-title">
      <input type="hidden" name="topic" value="${topic}">
      <input type="hidden" name="back" value="${query}">
      <header>
        <h2 id="panel-title" tabindex="-1">${title}</h2>
        <a class="close" href="/?topic=${encodeURIComponent(topic)}" data-close
          aria-label="Close the panel" title="Close (Esc)">✕</a>
      </header>
      <div hidden data-refresh hx-get="/panel?${query}" hx-trigger="refresh" hx-target="#panel"
        hx-swap="innerMorph"></div>
      ${content}
    </form>
  `;
}

/** The messages that are locked here and the next that are ready. */
export function messagesView(
  topic: string,
  locked: readonly MessageEnvelope[],
  ready: readonly MessageEnvelope[],
  available: number,
): Html {
  if (locked.length + ready.length === 0) {
    return html`<p class="empty">The queue is empty. What arrives shows here by itself.</p>`;
  }
  return html`
    <div class="rows" tabindex="0" role="region" aria-label="Messages">
      <table>
        <thead>
          <tr>
            <th scope="col">age</th><th scope="col">type</th><th scope="col">id</th>
            <th scope="col" class="less">correlation</th><th scope="col" class="n">size</th>
            <th scope="col" class="n">QoS</th><th scope="col" class="n">delivered</th>
          </tr>
        </thead>
        ${locked.map((envelope) => row(topic, envelope, true))}
        ${ready.map((envelope) => row(topic, envelope, false))}
      </table>
    </div>
    <p class="rest">${available > ready.length
      ? `The first ${ready.length} of ${available} that are ready.`
      : ""}</p>
  `;
}

/** The dead letters, with why each was given up. */
export function deadLettersView(
  topic: string,
  letters: readonly DeadLetter[],
  count: number,
): Html {
  if (letters.length === 0) {
    return html`<p class="empty">No dead letters. What is given up shows here by itself.</p>`;
  }
  return html`
    <div class="actions">${commandButton("redrive", "redrive all")} ${commandButton(
      "purge",
      "purge all…",
      "danger",
    )}</div>
    <div class="rows" tabindex="0" role="region" aria-label="Dead letters">
      <table>
        <thead>
          <tr>
            <th scope="col">age</th><th scope="col">reason</th><th scope="col">type</th>
            <th scope="col">id</th><th scope="col" class="n">size</th>
            <th scope="col" class="n">delivered</th>
          </tr>
        </thead>
        ${letters.map((letter) => letterRow(topic, letter))}
      </table>
    </div>
    <p class="rest">${count > letters.length ? `The first ${letters.length} of ${count}.` : ""}</p>
  `;
}

/** Asks before something is destroyed. */
export function purgeView(topic: string, word: string | null, count: number): Html {
  if (word === null && count === 0) {
    return html`<p class="empty">No dead letters: there is nothing to purge.</p>`;
  }
  const all = count === 1 ? "the one dead letter" : `all ${count} dead letters`;
  const what = word === null ? all : `the dead letter ${visibleLine(word, 40)}`;
  return html`
    <p>This removes ${what} of <b><bdi>${visibleLine(topic, 200)}</bdi></b> for good.</p>
    <div class="ask">
      <label class="field">
        <span>Type the queue's name to go on</span>
        <input name="confirm" autocomplete="off" autocapitalize="off" spellcheck="false">
      </label>
      <button name="line" value="purge${word === null ? "" : ` ${word}`}" class="primary danger">
        purge
      </button>
    </div>
  `;
}

function row(topic: string, envelope: MessageEnvelope, isLocked: boolean): Html {
  const { messageId, sentTime, message, qos, deliveryCount } = envelope;
  const id = handleOf(messageId);
  return html`
    <tbody id="m-${id}" data-id="${id}" class="${isLocked ? "locked" : "ready"}">
      <tr>
        <td>${ageView(sentTime)}</td>
        <td class="type"><bdi>${typeOf(envelope, topic)}</bdi></td>
        <td>${panelLink(topic, messagePlace(messageId), shortHandle(messageId))}</td>
        <td class="less correlation"><bdi>${visibleLine(
          envelope.correlationId ?? "",
          24,
        )}</bdi></td>
        <td class="n">${formatSize(message?.byteLength ?? 0)}</td>
        <td class="n less">${qos}</td>
        <td class="n less">${deliveryCount}</td>
      </tr>
      ${startRow(
        7,
        html`${isLocked ? lockView(envelope) : ""} <bdi>${
          visibleLine(
            readBodyStart(previewMessage(envelope)),
            120,
          )
        }</bdi>`,
        html`${commandButton(`complete ${id}`, "complete")} ${
          isLocked ? commandButton(`abandon ${id}`, "abandon") : commandButton(`lock ${id}`, "lock")
        } ${isLocked ? commandButton(`renew ${id}`, "renew") : ""} ${
          commandButton(`dead ${id}`, "dead", "danger")
        }`,
      )}
    </tbody>
  `;
}

function letterRow(
  topic: string,
  { id, envelope, reason, description, deliveryCount, time }: DeadLetter,
) {
  const handle = handleOf(id);
  return html`
    <tbody id="d-${handle}" data-id="${handle}">
      <tr>
        <td>${ageView(time)}</td>
        <td class="bad"><bdi>${visibleLine(reason, 60)}</bdi></td>
        <td class="type"><bdi>${typeOf(envelope, topic)}</bdi></td>
        <td>${panelLink(topic, messagePlace(id, "dead"), shortHandle(id))}</td>
        <td class="n">${formatSize(envelope.message?.byteLength ?? 0)}</td>
        <td class="n less">${deliveryCount}</td>
      </tr>
      ${startRow(
        6,
        html`<bdi>${visibleLine(description, 200)}</bdi> <bdi>${
          visibleLine(
            readBodyStart(previewMessage(envelope)),
            120,
          )
        }</bdi>`,
        html`${commandButton(`redrive ${handle}`, "redrive")} ${
          commandButton(
            `purge ${handle}`,
            "purge…",
            "danger",
          )
        }`,
      )}
    </tbody>
  `;
}

/** How the body begins, and what can be done: beside one another, or where there is no room below. */
function startRow(columns: number, start: Html, buttons: Html): Html {
  return html`
    <tr>
      <td colspan="${columns}" class="row">
        <div>
          <p>${start}</p>
          <p class="do">${buttons}</p>
        </div>
      </td>
    </tr>
  `;
}

/** A foreign sender's message is called after its topic. Where that is the queue's it says nothing new. */
function typeOf({ messageType }: MessageEnvelope, topic: string): string {
  return messageType === null || messageType === topic ? "" : visibleLine(messageType, 60);
}
