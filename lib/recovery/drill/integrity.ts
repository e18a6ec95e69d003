// Scrub, archive and restore as an operator calls them, for drills that damage what is stored.

import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createDynamo } from '../../platform/dynamodb/client.ts';
import { queryAll } from '../../platform/dynamodb/pages.ts';
import type { ArchiveAnswer } from '../archive/archive-events.ts';
import type { RestoreAnswer } from '../restore/answer.ts';
import type { FailedRestore } from '../restore/restore.ts';
import type { ScrubAnswer } from '../scrub/request.ts';
import type { Finding } from '../scrub/types.ts';
import type { DrillContext } from './context.ts';
import { waitUntil } from './wait-until.ts';

const SCRUB = 'ScrubEvents';
const ARCHIVE = 'ArchiveEvents';
const RESTORE = 'RestoreCommits';
/** A restore waits for its side table; its schedule is not waited for. */
const APPLIES_MAX = 20;
const PAUSE_MS = 500;
const EXPORT_POLL_MS = 200;

const asked = (context: DrillContext) => ({ requestedBy: 'drill', reason: context.prefix });

/**
 * A whole rotation of the scrub, and what was found in the streams of this scenario, by it or by a scheduled scrub before it:
 * that one may have had it repaired already.
 */
export async function scrubEverything(context: DrillContext): Promise<Finding[]> {
  await waitUntil('the scrub', async () => {
    const answer = (await context.system.invoke(SCRUB, { rotate: true, ...asked(context) })) as ScrubAnswer;
    return answer.kind === 'scrubbed' && answer.result.state.pass === 'idle' ? answer : undefined;
  });
  const client = new DynamoDBClient(context.system.clientConfig);
  const findings: Finding[] = [];
  for await (const item of queryAll(createDynamo(client), {
    TableName: context.system.outputs.RecoveryTableName,
    KeyConditionExpression: 'pk = :findings',
    ExpressionAttributeValues: { ':findings': 'finding' },
    ConsistentRead: true,
  }))
    findings.push(item as unknown as Finding);
  client.destroy();
  return findings.filter(({ streamId }) => streamId.startsWith(context.prefix));
}

/** Looks at single streams: books a problem for damage that remains, and closes the findings of what is well. */
export async function expectSound(context: DrillContext, streamIds: readonly string[]): Promise<void> {
  const answer = (await context.system.invoke(SCRUB, { streamIds, ...asked(context) })) as ScrubAnswer;
  const damages = answer.kind === 'examined' ? answer.streams.flatMap((stream) => stream.damages) : undefined;
  if (damages === undefined) context.problem(`the scrub did not look at the streams: ${answer.kind}`);
  for (const { kind, streamId, from, detail } of damages ?? [])
    context.problem(`after the repair the scrub finds ${kind} at ${streamId}@${from}: ${detail}`);
}

/** A full export of the table as it is now. */
export async function archiveNow(context: DrillContext): Promise<void> {
  const ask = (action: string) =>
    context.system.invoke(ARCHIVE, { action, ...(action === 'export' && asked(context)) });
  const begun = (await ask('export')) as ArchiveAnswer;
  const token = begun.pending?.clientToken;
  await waitUntil(
    'the export',
    async () => {
      const { pending } = (await ask('status')) as ArchiveAnswer;
      if (pending === undefined || pending.clientToken !== token) return true;
      await ask('step');
      return undefined;
    },
    { pollMs: EXPORT_POLL_MS },
  );
}

export interface RestoreOrder {
  streams: readonly string[];
  source: 'archive' | 'point-in-time';
  restoreTo?: number;
}

/** Plan, a try without approval that must be refused, then apply until it is finished. */
export async function restoreStreams(context: DrillContext, order: RestoreOrder): Promise<RestoreAnswer> {
  const plan = (await context.system.invoke(RESTORE, { action: 'plan', ...order, ...asked(context) })) as RestoreAnswer;
  const { planId, totals } = plan;
  context.progress(
    `plan: ${totals?.inserts} to insert, ${totals?.overwrites} to overwrite, ${totals?.removals} to remove`,
  );
  const apply = { action: 'apply', planId, ...asked(context) };
  if (plan.needsApproval) {
    const refused = (await context.system.invoke(RESTORE, apply)) as Partial<FailedRestore>;
    if (refused.error?.code !== 'APPROVAL_REQUIRED') context.problem('the plan was applied without approval');
  }
  for (let tries = 0; tries < APPLIES_MAX; tries += 1) {
    const answer = (await context.system.invoke(RESTORE, { ...apply, approvedBy: 'drill' })) as RestoreAnswer;
    if (answer.result === 'done' || answer.result === 'failed') {
      context.fact('restore', { source: answer.source, ...answer.totals });
      if (answer.result === 'failed') context.problem(`the restore failed: ${answer.note}`);
      return answer;
    }
    await sleep(PAUSE_MS);
  }
  context.problem('the restore did not come to an end');
  return plan;
}
