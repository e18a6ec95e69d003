// The fingerprint of a failure: equal for failures with one cause, so that a thousand dead letters are one group and one
// alert. Pure. Ids, numbers and quoted parts of the message are blanked, and of the stack only the first frame of the
// consumer's own code counts, without line numbers, which change with every build.

import { createHash } from 'node:crypto';
import type { DeadLetter } from '../../model/dead-letter.ts';

type Failure = DeadLetter['error'];

/** Hex digits: 64 bits, so that two causes of one consumer do not meet by chance. */
const FINGERPRINT_LENGTH = 16;
/** What is behind it is detail. */
const COMPARED_LENGTH = 500;
/** A message is cut before patterns run over it, so that a hostile one costs no time. */
const READ_LENGTH = 4_000;

/** @example fingerprint('inventory', { name: 'OutOfStock', message: 'item 42: 0 left' }); // 16 hex digits */
export const fingerprint = (consumer: string, failure: Failure): string =>
  createHash('sha256')
    .update([consumer, failure.name, normalised(failure.message), topOwnFrame(failure.stack)].join('\n'))
    .digest('hex')
    .slice(0, FINGERPRINT_LENGTH);

/** The message without what differs from event to event. */
export const normalised = (message: string): string =>
  message
    .slice(0, READ_LENGTH)
    .replace(/"[^"\n]*"|'[^'\n]*'|`[^`\n]*`/g, '?')
    // Any word with a digit in it: numbers, UUIDs, hashes, "order-42", timestamps.
    .replace(/[\w:.@/-]+/g, (word) => (/\d/.test(word) ? '#' : word))
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, COMPARED_LENGTH);

const FRAME = /^\s*at\s/;
const FOREIGN = /node_modules|\(?node:|<anonymous>/;

/** Function and file of the first frame outside Node.js and installed packages; empty when there is none. */
export function topOwnFrame(stack: string | undefined): string {
  const lines = (stack ?? '').slice(0, READ_LENGTH * 2).split('\n');
  const frame = lines.find((line) => FRAME.test(line) && !FOREIGN.test(line)) ?? '';
  const named = /^\s*at\s+(?:async\s+)?(.*?)\s*\((.*)\)\s*$/.exec(frame);
  const [name, location] = named ? [named[1], named[2]] : ['', frame.replace(/^\s*at\s+(?:async\s+)?/, '')];
  const file = (location ?? '')
    .replace(/:\d+(?::\d+)?\s*$/, '')
    .split(/[/\\]/)
    .at(-1);
  return frame === '' ? '' : `${name}@${file}`;
}
