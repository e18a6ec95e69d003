// Gives everything back that consumers gave up on, through the deployed redrive function: a dry run first, then a canary, then
// the rest. What comes of it is the ledger's business.

import { setTimeout as sleep } from 'node:timers/promises';
import type { RedriveAnswer } from '../redrive/answer.ts';
import type { FailedRedrive } from '../redrive/redrive.ts';
import type { DrillContext } from './context.ts';

const REDRIVE = 'RedriveDeadLetters';
const RATE_PER_SECOND = 50;
const POLL_MS = 1_000;
/** A canary's tries with their pauses, and one visibility timeout. */
const PATIENCE_MS = 180_000;

/** Returns how many dead letters were given back. Books a problem when a run does not come to `done`. */
export async function redriveAll(context: DrillContext): Promise<number> {
  let count = 0;
  for (const { name } of context.workload.consumers) count += await redriveConsumer(context, name);
  return count;
}

async function redriveConsumer(context: DrillContext, consumer: string): Promise<number> {
  const ask = async (input: object): Promise<RedriveAnswer> => {
    const answer = (await context.system.invoke(REDRIVE, input)) as RedriveAnswer | FailedRedrive;
    if ('error' in answer) throw new Error(`redrive of ${consumer}: ${answer.error.code}: ${answer.error.message}`);
    return answer;
  };
  const request = {
    action: 'redrive',
    selection: { consumer },
    ratePerSecond: RATE_PER_SECOND,
    requestedBy: 'drill',
    reason: context.prefix,
  };
  const would = await ask(request);
  if (would.result === 'nothing') return 0;
  context.progress(`redriving ${would.count} dead letters of ${consumer} in ${would.streams} streams`);
  const { runs } = await ask({ ...request, dryRun: false });
  const until = performance.now() + PATIENCE_MS;
  for (let run = runs[0]; run !== undefined; ) {
    if (run.status === 'done') {
      if (run.done !== would.count)
        context.problem(`${run.done} dead letters of ${consumer} were given back, the dry run said ${would.count}`);
      return run.done;
    }
    if (run.status === 'failed' || performance.now() > until) {
      context.problem(`the redrive of ${consumer} is ${run.status}: ${run.note ?? 'it took too long'}`);
      return run.done;
    }
    await sleep(POLL_MS);
    // What the schedule does every minute.
    await ask({ action: 'continue' });
    run = (await ask({ action: 'status', runId: run.id })).runs[0];
  }
  return 0;
}
