// The redrive operation: a dry run that says exactly what would happen, runs that begin with a canary, and stop, resume,
// status. Nothing here reacts to an event: the consumer's own function does, with its own permissions.

import { EventRecoveryError } from '../../model/errors.ts';
import type { Ids } from '../../platform/clock.ts';
import { type RedriveAnswer, runAnswer, unfinishedAnswer, wouldAnswer } from './answer.ts';
import { checkRedriveRequest, type RedriveRequest, type SelectingRequest } from './request.ts';
import type { RedriveRun } from './runs.ts';
import { selectDeadLetters } from './select.ts';
import { type WorkDeps, type WorkTime, workOnRun } from './work-run.ts';

export interface RedriveDeps extends WorkDeps {
  ids: Ids;
}

/** @throws InvalidInputError and EventRecoveryError with stable codes; nothing was written then */
export async function redrive(deps: RedriveDeps, raw: unknown, time: WorkTime): Promise<RedriveAnswer> {
  const request = checkRedriveRequest(raw);
  switch (request.action) {
    case 'redrive':
    case 'discard':
      return begin(deps, request, time);
    case 'status':
      return runAnswer(await runOf(deps, request.runId));
    case 'stop':
      return runAnswer(await changeStatus(deps, request, 'stopped'));
    case 'resume':
      return runAnswer(await workOnRun(deps, await changeStatus(deps, request, 'running'), time));
    case 'continue':
      return continueAll(deps, time);
  }
}

async function begin(deps: RedriveDeps, request: SelectingRequest, time: WorkTime): Promise<RedriveAnswer> {
  await checkConsumer(deps, request);
  const force = request.action === 'discard' || request.force;
  const selected = await selectDeadLetters(deps.deadLetters, request.selection, { force });
  if (request.dryRun || selected.letters.length === 0) return wouldAnswer(request, selected);
  const now = deps.world.clock.now();
  const run: RedriveRun = {
    id: deps.ids.next(),
    request,
    status: 'running',
    done: 0,
    changed: 0,
    startedAt: now,
    updatedAt: now,
  };
  await deps.runs.create(run);
  return runAnswer(await workOnRun(deps, run, time), selected);
}

async function checkConsumer({ registry }: RedriveDeps, { selection: { consumer } }: SelectingRequest): Promise<void> {
  if (consumer === undefined || (await registry.get(consumer as never)) !== undefined) return;
  throw new EventRecoveryError(
    'UNKNOWN_CONSUMER',
    `consumer "${consumer}" is not in the registry; remedy: npx event-recovery consumers lists them`,
    { facts: { consumer } },
  );
}

async function runOf({ runs }: RedriveDeps, id: string): Promise<RedriveRun> {
  const run = await runs.get(id);
  if (run !== undefined) return run;
  throw new EventRecoveryError(
    'UNKNOWN_RUN',
    `redrive run "${id}" does not exist; remedy: take the id from the answer that began it`,
    { facts: { id } },
  );
}

async function changeStatus(
  deps: RedriveDeps,
  request: Extract<RedriveRequest, { action: 'stop' | 'resume' }>,
  to: 'stopped' | 'running',
): Promise<RedriveRun> {
  const run = await runOf(deps, request.runId);
  const from = to === 'stopped' ? (['canary', 'running'] as const) : (['stopped'] as const);
  const now = deps.world.clock.now();
  // Resumed, it is as new: what failed again since then is selected again only by another run.
  const changed = {
    ...run,
    status: to,
    note: `${request.action} by ${request.requestedBy}: ${request.reason}`,
    updatedAt: now,
  };
  if (await deps.runs.update(changed, from)) return changed;
  return runOf(deps, request.runId);
}

async function continueAll(deps: RedriveDeps, time: WorkTime): Promise<RedriveAnswer> {
  const worked: RedriveRun[] = [];
  for await (const run of deps.runs.unfinished()) worked.push(await workOnRun(deps, run, time));
  return unfinishedAnswer(worked);
}
