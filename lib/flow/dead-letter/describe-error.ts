// Anything thrown, as the bounded error of a dead letter. Never throws: what a consumer throws may be anything, and giving
// up on its event must not fail because of it.

import type { DeadLetter } from '../../model/dead-letter.ts';
import { shown } from '../../model/errors.ts';

/** With these a row stays below 20 KB even in four-byte characters, and a checkpoint's `attempting` below 4 KB. */
export const NAME_MAX_LENGTH = 100;
export const MESSAGE_MAX_LENGTH = 1_000;
export const STACK_MAX_LENGTH = 3_000;

/** @example describeError(new TypeError('no stock')); // { name: 'TypeError', message: 'no stock', stack: '...' } */
export function describeError(thrown: unknown): DeadLetter['error'] {
  try {
    if (!(thrown instanceof Error) && !looksLikeError(thrown)) return { name: 'NotAnError', message: shown(thrown) };
    const name = cut(textOr(thrown.name, 'Error'), NAME_MAX_LENGTH);
    const message = cut(textOr(thrown.message, ''), MESSAGE_MAX_LENGTH);
    const { stack } = thrown;
    return { name, message, ...(typeof stack === 'string' && { stack: cut(stack, STACK_MAX_LENGTH) }) };
  } catch {
    return { name: 'Unreadable', message: 'the thrown value cannot be read' };
  }
}

/** Errors of another realm (a worker, a vm) are no instances of this one's Error. */
const looksLikeError = (thrown: unknown): thrown is Error =>
  typeof thrown === 'object' && thrown !== null && 'message' in thrown && 'stack' in thrown;

const textOr = (value: unknown, otherwise: string): string =>
  typeof value === 'string' && value !== '' ? value : otherwise;

/** Cut where no character is split, marked as cut. */
const cut = (text: string, length: number): string =>
  (text.length <= length ? text : `${text.slice(0, length - 1)}…`).toWellFormed();
