// What can be asked of a recovery. `{}` looks at everything and proposes; nothing is repaired that was not named. What
// contradicts itself is refused before anything is read.

import * as z from 'zod/mini';
import { InvalidInputError } from '../../model/errors.ts';
import { checkInput } from '../input/check.ts';
import { checkRedriveRequest, type RedriveSelection } from '../redrive/request.ts';
import { REQUEST_BYTES_MAX } from './fit.ts';

const text = (max: number) => z.string().check(z.minLength(1), z.maxLength(max));
/** The names of the consumers travel through the state machine, whose states have at most 256 KiB. */
export const CONSUMERS_MAX = 100;

/** In the order in which they are carried out: first what is stored, then what is delivered, then what was given up on. */
export const ACTIONS = ['propose', 'repair', 'restore', 'replay', 'resume', 'fill-gaps', 'redrive', 'verify'] as const;
const ACTION = z.enum(ACTIONS);

const REQUEST = z.strictObject({
  /**
   * `propose` and `verify` repair nothing; `repair` does what the diagnosis proposes; the others do what they say and no
   * more. All but `propose` end with a verification.
   */
  actions: z._default(z.array(ACTION).check(z.minLength(1), z.maxLength(ACTIONS.length)), ['propose']),
  /** @default all active consumers */
  consumers: z.optional(z.array(text(48)).check(z.minLength(1), z.maxLength(CONSUMERS_MAX))),
  /** Which dead letters to redrive; fields combine with "and". With `redrive`, and only then. */
  selection: z.optional(z.record(text(32), z.unknown())),
  /** What to replay, as docs/operations/replay.md has it for "plan". With `replay`, and only then. */
  replay: z.optional(z.record(text(32), z.unknown())),
  /** What to restore, as docs/operations/restore.md has it for "plan". With `restore` only. @default what is damaged */
  restore: z.optional(z.record(text(32), z.unknown())),
  /** Say what would be done. */
  dryRun: z._default(z.boolean(), false),
  /** Events younger than this are on their way and no gap. For a system that stands still, less finds more. */
  graceSeconds: z._default(z.number().check(z.int(), z.nonnegative(), z.lte(3_600)), 60),
  requestedBy: z.prefault(text(256), 'unknown'),
  reason: z.prefault(text(1_000), 'not given'),
  trigger: z._default(z.enum(['operator', 'scan', 'scrub', 'alarm', 'drill']), 'operator'),
});

export type RecoveryAction = z.infer<typeof ACTION>;
export type RecoveryRequest = Omit<z.infer<typeof REQUEST>, 'selection'> & { selection?: RedriveSelection };

/** Read-only recoveries take no lease. */
export const isReadOnly = ({ dryRun, actions }: Pick<RecoveryRequest, 'dryRun' | 'actions'>): boolean =>
  dryRun || actions.every((action) => action === 'propose' || action === 'verify');

/**
 * @throws InvalidInputError `INVALID_INPUT`, `INPUT_TOO_LARGE`, `CONTRADICTORY_INPUT`, `EMPTY_SELECTION`
 * @example checkRecoveryRequest({}).actions; // ['propose']
 */
export function checkRecoveryRequest(raw: unknown): RecoveryRequest {
  const { selection, ...request } = checkInput(REQUEST, raw ?? {}, 'recovery request');
  const { actions } = request;
  const size = Buffer.byteLength(JSON.stringify(raw ?? {}));
  if (size > REQUEST_BYTES_MAX) {
    throw new InvalidInputError('INPUT_TOO_LARGE', {
      what: 'recovery request',
      got: `${size} bytes`,
      allowed: `JSON of at most ${REQUEST_BYTES_MAX} bytes`,
      remedy: 'name fewer streams, or a prefix, and start another recovery for the rest',
    });
  }
  for (const alone of ['propose', 'repair'] as const) {
    if (!actions.includes(alone) || actions.length === 1) continue;
    const remedy = alone === 'propose' ? 'leave it out, or set "dryRun": true' : 'name the repairs, or only "repair"';
    throw contradiction('actions', actions, `"${alone}" alone`, remedy);
  }
  if (actions.includes('redrive') !== (selection !== undefined)) {
    throw contradiction(
      'selection',
      selection,
      'a selection exactly when the actions contain "redrive"',
      'to redrive everything of a consumer, select the consumer',
    );
  }
  if (actions.includes('replay') !== (request.replay !== undefined)) {
    throw contradiction(
      'replay',
      request.replay,
      'a replay exactly when the actions contain "replay"',
      'see docs/operations/replay.md for what can be replayed',
    );
  }
  if (request.restore !== undefined && !actions.includes('restore')) {
    throw contradiction(
      'restore',
      request.restore,
      'only with the action "restore"',
      'add the action, or leave it out',
    );
  }
  const replayed = request.replay?.consumer;
  if (request.consumers !== undefined && replayed !== undefined && !request.consumers.includes(String(replayed))) {
    throw contradiction(
      'replay.consumer',
      replayed,
      `one of the consumers of the request: ${request.consumers.join(', ')}`,
      'replay to a consumer that is being recovered',
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
