// What can be asked of a recovery. `{}` looks at everything and proposes; nothing is repaired that was not named. What
// contradicts itself is refused before anything is read.

import * as z from 'zod/mini';
import { InvalidInputError } from '../../model/errors.ts';
import { checkInput } from '../input/check.ts';
import { checkRedriveRequest, type RedriveSelection } from '../redrive/request.ts';

const text = (max: number) => z.string().check(z.minLength(1), z.maxLength(max));
/** The names of the consumers travel through the state machine, whose states have at most 256 KiB. */
const CONSUMERS_MAX = 100;

const ACTION = z.enum(['propose', 'fill-gaps', 'redrive', 'verify']);

const REQUEST = z.strictObject({
  /** `propose` and `verify` repair nothing. Repairs end with a verification. */
  actions: z._default(z.array(ACTION).check(z.minLength(1), z.maxLength(4)), ['propose']),
  /** @default all active consumers */
  consumers: z.optional(z.array(text(48)).check(z.minLength(1), z.maxLength(CONSUMERS_MAX))),
  /** Which dead letters to redrive; fields combine with "and". */
  selection: z.optional(z.record(text(32), z.unknown())),
  /** Say what would be done. */
  dryRun: z._default(z.boolean(), false),
  requestedBy: z.prefault(text(256), 'unknown'),
  reason: z.prefault(text(1_000), 'not given'),
  trigger: z._default(z.enum(['operator', 'scan', 'scrub', 'alarm', 'drill']), 'operator'),
});

export type RecoveryAction = z.infer<typeof ACTION>;
export type RecoveryRequest = Omit<z.infer<typeof REQUEST>, 'selection'> & { selection?: RedriveSelection };

/**
 * @throws InvalidInputError `INVALID_INPUT`, `CONTRADICTORY_INPUT`, `EMPTY_SELECTION`
 * @example checkRecoveryRequest({}).actions; // ['propose']
 */
export function checkRecoveryRequest(raw: unknown): RecoveryRequest {
  const { selection, ...request } = checkInput(REQUEST, raw ?? {}, 'recovery request');
  const redrives = request.actions.includes('redrive');
  if (request.actions.includes('propose') && request.actions.length > 1) {
    throw contradiction('actions', request.actions, '"propose" alone', 'leave it out, or set "dryRun": true');
  }
  if (redrives !== (selection !== undefined)) {
    throw contradiction(
      'selection',
      selection,
      'a selection exactly when the actions contain "redrive"',
      'to redrive everything of a consumer, select the consumer',
    );
  }
  if (selection === undefined) return request;
  const checked = checkRedriveRequest({ action: 'redrive', selection });
  if (checked.action !== 'redrive') return request;
  const { consumer } = checked.selection;
  if (request.consumers !== undefined && (consumer === undefined || !request.consumers.includes(consumer))) {
    throw contradiction(
      'selection.consumer',
      consumer,
      `one of the consumers of the request: ${request.consumers.join(', ')}`,
      'select a consumer that is being recovered',
    );
  }
  return { ...request, selection: checked.selection };
}

const contradiction = (what: string, got: unknown, allowed: string, remedy: string): InvalidInputError =>
  new InvalidInputError('CONTRADICTORY_INPUT', { what, got, allowed, remedy });
