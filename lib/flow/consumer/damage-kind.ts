// Which incident a damaged stream is, by the words in which the event store (and the consumer) describe what they found.

import type { Incident } from '../relay/port.ts';

/** Said by the consumer, when a stream is shorter than what was announced. */
export const endsEarly = (last: number, announced: number): string =>
  `it ends at version ${last}, but version ${announced} was announced`;

export function damageKind(damage: string): Incident['kind'] {
  if (damage.startsWith('it ends at version')) return 'truncated-stream';
  if (/no commit holds|follows version/.test(damage)) return 'missing-commit';
  if (damage.startsWith('two commits hold')) return 'fork';
  return 'hash-mismatch';
}
