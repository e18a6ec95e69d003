// An SQS standard queue: at least once, in no order, with visibility timeouts, delays, receive counts and a dead-letter
// queue. A message that was received too often moves to the dead-letter queue at its next receive, as SQS does it.

import type { Prng } from '../kernel/prng.ts';
import { createPrng } from '../kernel/prng.ts';
import type { Scheduler } from '../kernel/scheduler.ts';
import type { Trace } from '../kernel/trace.ts';
import type { Faults } from './faults.ts';

export interface QueueSettings {
  name: string;
  seed: number;
  visibilityTimeoutMs: number;
  maxReceiveCount: number;
  /** Where a message goes that was received too often; without one it stays. */
  deadLetters?: Queue;
}

export interface ReceivedMessage {
  messageId: string;
  receiptHandle: string;
  body: string;
  receiveCount: number;
  sentAt: number;
  firstReceivedAt: number;
  source?: string;
}

export interface Queue {
  readonly name: string;
  /** `source`: the queue that gave it up. */
  send(body: string, delayMs?: number, source?: string): string;
  /** Up to `most` messages that are visible now; they become invisible. */
  receive(most: number): ReceivedMessage[];
  /** Works with any receipt handle of the message. */
  delete(receiptHandle: string): void;
  /** When the next message becomes visible (maybe in the past); undefined when there is none. */
  nextVisibleAt(): number | undefined;
  onArrival(react: () => void): void;
  /** Bodies of everything that is stored, visible or not. */
  bodies(): string[];
  readonly size: number;
  readonly stats: { sent: number; received: number; movedToDeadLetters: number };
}

interface Stored {
  messageId: string;
  body: string;
  visibleAt: number;
  receiveCount: number;
  sentAt: number;
  firstReceivedAt: number;
  source: string | undefined;
}

export function createQueue(scheduler: Scheduler, faults: Faults, trace: Trace, settings: QueueSettings): Queue {
  const { name, seed, visibilityTimeoutMs, maxReceiveCount, deadLetters } = settings;
  const order: Prng = createPrng(seed, `queue/${name}`);
  const messages = new Map<string, Stored>();
  const stats = { sent: 0, received: 0, movedToDeadLetters: 0 };
  let arrival: () => void = () => undefined;
  let handles = 0;

  const store = (stored: Stored): void => {
    messages.set(stored.messageId, stored);
    arrival();
  };

  const send = (body: string, delayMs = 0, source?: string): string => {
    const extraMs = faults.strikes('queue-delay', name) ? faults.details('queue-delay').int(1_000, 60_000) : 0;
    const messageId = `${name}-m${++stats.sent}`;
    const now = scheduler.now();
    store({
      messageId,
      body,
      visibleAt: now + delayMs + extraMs,
      receiveCount: 0,
      sentAt: now,
      firstReceivedAt: 0,
      source,
    });
    return messageId;
  };

  const hide = (message: Stored): void => {
    const now = scheduler.now();
    message.receiveCount++;
    if (message.firstReceivedAt === 0) message.firstReceivedAt = now;
    message.visibleAt = now + visibilityTimeoutMs;
    if (faults.strikes('visibility-ends-early', message.messageId)) {
      message.visibleAt = now + faults.details('visibility-ends-early').int(10, 20_000);
      arrival();
    } else if (faults.strikes('queue-duplicate', message.messageId)) {
      // Another copy stays on a server that does not know about this receive.
      const visibleAt = now + faults.details('queue-duplicate').int(0, 90_000);
      const copy: Stored = { ...message, messageId: `${message.messageId}~${++handles}`, visibleAt };
      scheduler.after(0, () => store(copy));
    }
  };

  const receive = (most: number): ReceivedMessage[] => {
    const now = scheduler.now();
    const visible = order.shuffle([...messages.values()].filter((message) => message.visibleAt <= now));
    const received: ReceivedMessage[] = [];
    for (const message of visible) {
      if (received.length === most) break;
      if (deadLetters !== undefined && message.receiveCount >= maxReceiveCount) {
        messages.delete(message.messageId);
        stats.movedToDeadLetters++;
        trace.note(name, `${message.messageId} moves to the dead-letter queue`);
        deadLetters.send(message.body, 0, name);
        continue;
      }
      hide(message);
      stats.received++;
      const { messageId, body, receiveCount, sentAt, firstReceivedAt, source } = message;
      received.push({
        messageId,
        receiptHandle: `${messageId}/${++handles}`,
        body,
        receiveCount,
        sentAt,
        firstReceivedAt,
        source,
      });
    }
    return received;
  };

  return {
    name,
    send,
    receive,
    delete: (receiptHandle) => {
      messages.delete(receiptHandle.slice(0, receiptHandle.lastIndexOf('/')));
    },
    nextVisibleAt: () => {
      let next: number | undefined;
      for (const { visibleAt } of messages.values()) if (next === undefined || visibleAt < next) next = visibleAt;
      return next;
    },
    onArrival: (react) => {
      arrival = react;
    },
    bodies: () => [...messages.values()].map((message) => message.body),
    get size() {
      return messages.size;
    },
    stats,
  };
}
