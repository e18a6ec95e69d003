// A deployment replaces the code first and registers its event types then; an invocation of the old code may run on for its whole
// time. It knows nothing of the added types and would pass their events as resolved. So before what it passed is stored, the
// registry is asked: a type that this code does not know and the registry does, since a moment ago, means that the code is old.

import { EventRecoveryError } from '../../model/errors.ts';
import type { Engine, StreamRun } from './run.ts';

/** Lambda ends an invocation after 15 minutes at most (Lambda quotas, "Function timeout"); after that no old code runs. */
const OLD_CODE_LIVES_MS = 16 * 60_000;

/**
 * Asked after the events were read: a registration that the registry does not show by then reads the log's head later, and
 * counts them as history.
 * @param types of events that are to be passed because this code does not declare them
 * @throws EventRecoveryError `CODE_IS_OLD` (retryable): the messages come back, to the new code
 */
export async function refuseOldCode(
  { registration, serverClock, declaration }: Pick<Engine, 'registration' | 'serverClock' | 'declaration'>,
  types: Iterable<string>,
): Promise<void> {
  const passed = new Set(types);
  if (passed.size === 0) return;
  const { eventTypes, announced = [], updatedAt = 0 } = await registration({ fresh: true });
  const isRecent = serverClock.now() - updatedAt < OLD_CODE_LIVES_MS;
  const isKnown = (type: string): boolean =>
    announced.some((one) => one === type) || (isRecent && Object.hasOwn(eventTypes, type));
  const [type] = [...passed].filter(isKnown);
  if (type === undefined) return;
  throw new EventRecoveryError(
    'CODE_IS_OLD',
    `consumer "${declaration.name}": event type "${type}" was added to it, and this code does not know it; remedy: none, the new code goes on`,
    { retryable: true, facts: { consumer: declaration.name, type } },
  );
}

/** Before anything of `pending` is stored. */
export async function checkPassed(run: StreamRun): Promise<void> {
  await refuseOldCode(run.batch.engine, run.passedTypes);
  run.passedTypes.clear();
}
