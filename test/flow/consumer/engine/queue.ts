// A queue as SQS is one: at least once, visible again after the visibility timeout, a dead-letter queue after too many
// receives; a message may be handed out while it is in flight, and one deletion removes all of it. Bodies are what the edge's parser would have made of them.

import type { ParsedMessage } from '../../../../lib/flow/consumer/messages.ts';

interface Stored {
  message: ParsedMessage;
  visibleAt: number;
}

export const VISIBILITY_MS = 60_000;

export class Queue {
  readonly #now: () => number;
  readonly #maxReceives: number;
  readonly dead: ParsedMessage[] = [];
  #messages: Stored[] = [];
  #ids = 0;
  sent: ParsedMessage['body'][] = [];

  constructor(now: () => number, maxReceives: number) {
    this.#now = now;
    this.#maxReceives = maxReceives;
  }

  send(body: ParsedMessage['body'], delayMs = 0): void {
    this.#ids += 1;
    this.sent.push(body);
    const message = { messageId: `m${this.#ids}`, receiveCount: 0, body };
    this.#messages.push({ message, visibleAt: this.#now() + delayMs });
  }

  /**
   * @param pick chooses among the visible ones, so that a schedule can be random
   * @param staysVisible for a message that somebody else receives as well
   */
  receive(most: number, pick: (count: number) => number, staysVisible = () => false): ParsedMessage[] {
    const now = this.#now();
    const received: ParsedMessage[] = [];
    while (received.length < most) {
      const visible = this.#messages.filter(
        ({ message, visibleAt }) =>
          visibleAt <= now && !received.some(({ messageId }) => messageId === message.messageId),
      );
      const chosen = visible[pick(visible.length)];
      if (chosen === undefined) break;
      chosen.message = { ...chosen.message, receiveCount: chosen.message.receiveCount + 1 };
      if (!staysVisible()) chosen.visibleAt = now + VISIBILITY_MS;
      if (chosen.message.receiveCount > this.#maxReceives) {
        this.dead.push(chosen.message);
        this.delete([chosen.message.messageId]);
      } else received.push(chosen.message);
    }
    return received;
  }

  delete(messageIds: readonly string[]): void {
    this.#messages = this.#messages.filter(({ message }) => !messageIds.includes(message.messageId));
  }

  get isEmpty(): boolean {
    return this.#messages.length === 0;
  }
}
