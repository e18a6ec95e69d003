// The dead letters of a drill as they are stored, read with a plain client: what consumers gave up on, in the drill's streams.

import { DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { DeadLetter } from '../../model/dead-letter.ts';
import type { DrillContext } from './context.ts';

/** The drill's own tables hold some thousand rows: a scan is the plainest read that leaves nothing out. */
export async function deadLettersOf({
  system,
  prefix,
}: Pick<DrillContext, 'system' | 'prefix'>): Promise<DeadLetter[]> {
  const client = new DynamoDBClient(system.clientConfig);
  try {
    const rows: DeadLetter[] = [];
    const input = {
      TableName: system.outputs.DeadLettersTableName,
      ConsistentRead: true,
      FilterExpression: 'begins_with(streamId, :prefix)',
      ExpressionAttributeValues: { ':prefix': { S: prefix } },
    };
    for await (const { Items = [] } of paginateScan({ client }, input)) {
      rows.push(...Items.map((item) => unmarshall(item) as DeadLetter));
    }
    return rows;
  } finally {
    client.destroy();
  }
}

export const isOpen = ({ status }: Pick<DeadLetter, 'status'>): boolean => status === 'parked' || status === 'skipped';

/** As a line for people. */
export const nameOf = ({ consumer, streamId, version, status, error }: DeadLetter): string =>
  `${consumer} ${streamId} version ${version} (${status}, ${error.name})`;

/** What a slow machine does to a consumer by itself: its process died, or did not come to an end in its time. */
const SLOW = new Set(['UncleanEnd', 'DeadlineError', 'DYNAMODB_BUSY', 'TimeoutError', 'AbortError']);

/**
 * Books what was given up on. Skipped events may come late when they are given again. What the drill injected is one cause: a
 * consumer that files it in more than one group would tell people more than once. Dead letters that nobody wanted are problems;
 * those of a machine that was too slow are said, and given back with the rest.
 */
export function bookDeadLetters(
  context: Pick<DrillContext, 'problem' | 'progress' | 'fact' | 'mayBeLate'>,
  letters: readonly DeadLetter[],
  isInjected: (letter: DeadLetter) => boolean,
): void {
  for (const { consumer, eventId, status } of letters) {
    if (status === 'skipped') context.mayBeLate(consumer, [eventId]);
  }
  for (const [consumer, injected] of Map.groupBy(letters.filter(isInjected), (letter) => letter.consumer)) {
    const groups = new Set(injected.map(({ fingerprint }) => fingerprint)).size;
    if (groups > 1) context.problem(`${consumer}: one cause was filed in ${groups} groups, not in one`);
  }
  const strangers = letters.filter((letter) => !isInjected(letter));
  const slow = strangers.filter(({ error }) => SLOW.has(error.name));
  for (const letter of strangers) {
    if (slow.includes(letter)) context.progress(`a slow machine, not the drill: ${nameOf(letter)}`);
    else context.problem(`a dead letter that nobody injected: ${nameOf(letter)}: ${letter.error.message}`);
  }
  if (slow.length > 0) context.fact('deadLettersOfSlowMachine', slow.length);
}
